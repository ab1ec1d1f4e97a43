using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.Gorila;

/// <summary>
/// Is responsible for what a node's learners exchange with the replay memory of the run's node: sends their segments under credits, and
/// asks for minibatches ahead of time, so that nobody waits for the wire. What gets lost is asked for again.
/// </summary>
public sealed class ReplayLinkActor : ReceiveActor, IWithTimers
{
    /// <summary>Minibatches of a learner that are asked for or wait to be taken.</summary>
    private const int Prefetch = 2;

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100), RegisterInterval = TimeSpan.FromSeconds(1),
        LeastAnswerTimeout = TimeSpan.FromSeconds(1);

    private readonly ActorSelection _owner;
    private readonly TimeSpan _creditTimeout;
    private readonly Dictionary<int, Account> _accounts = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <param name="owner">Where the memory's owner is: a <see cref="TransitionReplayActor"/>.</param>
    /// <param name="creditTimeout">After this long a segment without an answer counts as lost. A request for a minibatch is made again earlier,
    /// unless answers are known to take long.</param>
    public ReplayLinkActor(ActorPath owner, TimeSpan creditTimeout)
    {
        (_owner, _creditTimeout) = (Context.ActorSelection(owner), creditTimeout);
        Receive<SendSegment>(OnSend);
        Receive<MinibatchTaken>(message => WithAccount(message.Replay, Ask));
        Receive<TransitionsDrawn>(OnDrawn);
        Receive<CreditReturned>(OnReturned);
        Receive<CreditsGranted>(OnGranted);
        Receive<OpenReplay>(OnOpen);
        Receive<CloseReplay>(message => WithAccount(message.Replay, account => _accounts.Remove(account.Replay.Worker)));
        Receive<Tick>(_ => OnTick());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);

    private void OnOpen(OpenReplay message)
    {
        var account = new Account(message.Replay);
        _accounts[message.Replay.Worker] = account;
        Register(account);
    }

    private void Register(Account account)
    {
        account.RegisteredAt = Now;
        _owner.Tell(new RegisterWorker(account.Replay.Worker, account.Replay.Incarnation, account.Replay.Segment.ByteCount), Self);
    }

    private void OnGranted(CreditsGranted message)
    {
        if (Find(message.Worker, message.Incarnation) is not { Server: null } account) return;
        account.Server = Sender;
        for (var i = 0; i < message.Count; i++) account.Replay.AddCredit(new Unroll(account.Replay.Segment));
        Ask(account);
    }

    private void OnSend(SendSegment message)
    {
        if (Find(message.Replay.Worker, message.Replay.Incarnation) is not { Server: { } server } account) return;
        var unroll = message.Segment;
        unroll.Id = new UnrollId(message.Replay.Worker, message.Replay.Incarnation, account.Sequence++);
        account.Sent.Send(unroll.Id.Sequence, unroll, Now);
        server.Tell(new InsertUnroll(unroll));
    }

    private void OnReturned(CreditReturned message)
    {
        if (Find(message.Id.Worker, message.Id.Incarnation) is not { } account) return;
        if (account.Sent.Close(message.Id.Sequence, message.Outcome) is { } buffers) account.Replay.AddCredit(buffers);
    }

    private void OnDrawn(TransitionsDrawn message)
    {
        // A late one is as good, where there is room for it.
        if (Find(message.Worker, message.Incarnation) is not { } account || message.Number >= account.Requests) return;
        if (!account.Answered(message.Number, Now) && account.Replay.Ready >= Prefetch) return;
        if (message.Actions.Length == 0)
        {
            account.Replay.SetFilling();
        }
        else if (account.Replay.TryAdd(message))
        {
            Ask(account);
        }
        else
        {
            _log.Warning($"A minibatch of {Sender.Path.Address} is refused: it is not of this run");
        }
    }

    private void OnTick()
    {
        var now = Now;
        foreach (var account in _accounts.Values)
        {
            if (account.Server is null)
            {
                // Between nodes the first word may get lost.
                if (now - account.RegisteredAt >= RegisterInterval) Register(account);
                continue;
            }
            for (var lost = account.Sent.Expire(now - _creditTimeout); lost > 0; lost--)
                account.Replay.AddCredit(new Unroll(account.Replay.Segment));
            account.GiveUp(now, _creditTimeout);
            Ask(account);
        }
    }

    private void Ask(Account account)
    {
        while (account.Server is { } server && account.Asked.Count + account.Replay.Ready < Prefetch)
        {
            account.Asked.Add(account.Requests, Now);
            server.Tell(new RequestTransitions(account.Replay.Worker, account.Replay.Incarnation, account.Requests++));
        }
    }

    private Account? Find(int worker, int incarnation) =>
        _accounts.TryGetValue(worker, out var account) && account.Replay.Incarnation == incarnation ? account : null;

    private void WithAccount(RemoteReplay replay, Action<Account> action)
    {
        if (Find(replay.Worker, replay.Incarnation) is { } account) action(account);
    }

    /// <summary>What is under way for one learner's incarnation.</summary>
    private sealed class Account(RemoteReplay replay)
    {
        private readonly List<long> _overdue = [];
        private TimeSpan _answerTimeout = LeastAnswerTimeout;

        public RemoteReplay Replay => replay;

        public IActorRef? Server { get; set; }

        public TimeSpan RegisteredAt { get; set; }

        public long Sequence { get; set; }

        public long Requests { get; set; }

        public InFlightLedger<Unroll> Sent { get; } = new();

        /// <summary>Requests without an answer, and when they were made.</summary>
        public Dictionary<long, TimeSpan> Asked { get; } = [];

        /// <summary>There is an answer; false where it was given up. How long it took is how long the next may take, twice over.</summary>
        public bool Answered(long number, TimeSpan now)
        {
            if (!Asked.Remove(number, out var at)) return false;
            _answerTimeout = 2 * (now - at);
            if (_answerTimeout < LeastAnswerTimeout) _answerTimeout = LeastAnswerTimeout;
            return true;
        }

        /// <summary>Forgets requests without an answer. If there are any, the next ones have more time: a link may be slow.</summary>
        public void GiveUp(TimeSpan now, TimeSpan most)
        {
            foreach (var (number, at) in Asked)
                if (now - at > _answerTimeout) _overdue.Add(number);
            if (_overdue.Count == 0) return;
            foreach (var number in _overdue) Asked.Remove(number);
            _overdue.Clear();
            _answerTimeout = 2 * _answerTimeout < most ? 2 * _answerTimeout : most;
        }
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
