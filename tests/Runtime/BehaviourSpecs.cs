using System.Linq.Expressions;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class BehaviourSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void The_first_entry_that_matches_handles(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.On<int>(n => probe.Ref.Tell("big " + n), n => n > 10);
            act.On<int>(n => n != 3 && Told(probe, "plain " + n));
            act.OnType(typeof(string), text => probe.Ref.Tell("text " + text));
            act.OnAny(other => probe.Ref.Tell("any " + other));
        });
        foreach (var message in new object[] { 11, 4, 3, "x", 'c' }) actor.Tell(message);
        foreach (var told in new[] { "big 11", "plain 4", "any 3", "text x", "any c" }) probe.ExpectMsg(told);
    }

    [Theory, MemberData(nameof(Engines))]
    public void All_forms_of_Receive_take_their_messages(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var to = probe.Ref;
        var actor = at.System.ActorOf(Props.Create(() => new EveryForm(to)));
        foreach (var message in new object[] { 1, -1, 2L, 'a', 'b', 1.5, -1.5, 2.5f }) actor.Tell(message);
        foreach (var told in new[] { "predicate first", "predicate last", "function", "type", "type unless", "type predicate", "rest",
            "type function" })
            probe.ExpectMsg(told);
    }

    [Theory, MemberData(nameof(Engines))]
    public void What_nobody_handles_is_published(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(UnhandledMessage));
        var actor = at.Act(act => act.On<int>(_ => { }));
        actor.Tell("text", probe.Ref);
        var unhandled = probe.ExpectMsg<UnhandledMessage>();
        Assert.Equal(("text", probe.Ref, actor), ((string)unhandled.Message, unhandled.Sender, unhandled.Recipient));
    }

    [Theory, MemberData(nameof(Engines))]
    public void Become_replaces_and_BecomeStacked_goes_back(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act => act.On<string>(Switch(act, "base")));
        foreach (var step in new[] { "?", "push", "?", "turn", "?", "pop", "?", "pop", "?", "turn", "?", "pop", "?" }) actor.Tell(step);
        foreach (var name in new[] { "base", "pushed", "turned", "base", "base", "turned", "base" }) probe.ExpectMsg(name);

        Action<string> Switch(Act act, string name) => message =>
        {
            switch (message)
            {
                case "?": probe.Ref.Tell(name); break;
                case "push": act.Push(() => act.On<string>(Switch(act, "pushed"))); break;
                case "turn": act.Turn(() => act.On<string>(Switch(act, "turned"))); break;
                case "pop": act.Pop(); break;
            }
        };
    }

    [Theory, MemberData(nameof(Engines))]
    public void Entries_are_made_in_the_constructor_or_in_Become_only(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.Act(act => act.OnAny(_ => probe.Ref.Tell(Record.Exception(() => act.On<int>(_ => { }))))).Tell("go");
        Assert.IsType<InvalidOperationException>(probe.ExpectMsg<Exception>());

        at.Act(act =>
        {
            act.OnAny(_ => { });
            probe.Ref.Tell(Record.Exception(() => act.On<int>(_ => { })));
        });
        Assert.IsType<InvalidOperationException>(probe.ExpectMsg<Exception>());
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_untyped_actor_switches_untyped_behaviours(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var to = probe.Ref;
        var actor = at.System.ActorOf(Props.Create(() => new Untyped(to)));
        foreach (var message in new[] { "push", "x", "pop", "y", "turn", "z" }) actor.Tell(message);
        foreach (var told in new[] { "stacked x", "base y", "turned z" }) probe.ExpectMsg(told);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_receive_timeout_comes_after_silence_and_again(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.Starting = () => act.Ctx.SetReceiveTimeout(Ms(100));
            act.On<ReceiveTimeout>(_ => probe.Ref.Tell("silence"));
            act.On<string>(text => act.Ctx.SetReceiveTimeout(text == "off" ? null : act.Ctx.ReceiveTimeout));
        });
        at.Advance(60);
        actor.Tell("talk");
        at.Advance(60);
        actor.Tell(new Identify(1)); // does not count as talk
        probe.ExpectNoMsg();
        at.Advance(41);
        probe.ExpectMsg("silence");
        at.Advance(100);
        probe.ExpectMsg("silence");
        actor.Tell("off");
        at.Advance(1000);
        probe.ExpectNoMsg();
    }

    [Fact]
    public void Props_take_new_and_nothing_around_it()
    {
        Expression<Func<Act>> made = () => Made();
        Assert.ThrowsAny<Exception>(() => Props.Create(made));
        Assert.ThrowsAny<ArgumentException>(() => Props.Create((Type)null));
        var props = Props.Create(() => new Act(null)).WithDispatcher("d").WithSupervisorStrategy(SupervisorStrategy.StoppingStrategy);
        Assert.Equal((typeof(Act), "d", SupervisorStrategy.StoppingStrategy), (props.Type, props.Dispatcher, props.SupervisorStrategy));
        Assert.Null(Assert.Single(props.Arguments));
    }

    [Theory, MemberData(nameof(Engines))]
    public void Arguments_of_props_are_evaluated_once(string engine)
    {
        using var at = Harness.Start(engine);
        var evaluated = 0;
        var probe = at.Probe();
        Action<Act> configure = act => act.OnAny(message => throw new InvalidOperationException("again"));
        var props = Props.Create(() => new Act(Count(configure, ref evaluated)));
        Assert.Equal(1, evaluated);
        at.System.ActorOf(props).Tell("fail");
        at.System.ActorOf(props);
        at.Settle();
        Assert.Equal(1, evaluated);
        at.System.ActorOf(Props.Create<Untyped>(probe.Ref)).Tell("made by arguments");
        probe.ExpectMsg("base made by arguments");
        at.System.ActorOf(Props.Create(typeof(Untyped), probe.Ref)).Tell("made by type");
        probe.ExpectMsg("base made by type");
    }

    private static Act Made() => new(_ => { });

    private static Action<Act> Count(Action<Act> configure, ref int evaluated)
    {
        evaluated++;
        return configure;
    }

    private static bool Told(Probe probe, string text)
    {
        probe.Ref.Tell(text);
        return true;
    }

    private sealed class EveryForm : ReceiveActor
    {
        public EveryForm(IActorRef to)
        {
            Receive<int>(n => n > 0, _ => to.Tell("predicate first"));
            Receive<int>(_ => to.Tell("predicate last"), n => n < 0);
            Receive<long>(_ => Told("function"));
            Receive(typeof(char), c => to.Tell("type"), c => (char)c == 'a');
            Receive(typeof(char), _ => to.Tell("type unless"));
            Receive(typeof(double), d => (double)d > 0, _ => to.Tell("type predicate"));
            Receive(typeof(float), _ => Told("type function"));
            ReceiveAny(_ => to.Tell("rest"));

            bool Told(string text)
            {
                to.Tell(text);
                return true;
            }
        }
    }

    private sealed class Untyped : UntypedActor
    {
        private readonly IActorRef _to;

        public Untyped(IActorRef to) => _to = to;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "push": BecomeStacked(next => Other("stacked", next)); break;
                case "turn": Become(next => Other("turned", next)); break;
                default: _to.Tell("base " + message); break;
            }
        }

        private void Other(string name, object message)
        {
            if ((string)message == "pop") UnbecomeStacked();
            else _to.Tell(name + " " + message);
        }
    }
}
