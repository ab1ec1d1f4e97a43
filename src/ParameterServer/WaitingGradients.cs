using Akka.Actor;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Gradients that a server may not apply yet, in the order in which they came.</summary>
/// <remarks>A learner sends more than its credits allow only when it has given up those before: so of each learner as many are kept as it has
/// credits, and of more the oldest is forgotten, which nobody waits for. A plain object for one thread.</remarks>
/// <param name="credits">Gradients of a learner, at most.</param>
internal sealed class WaitingGradients(int credits)
{
    private readonly Dictionary<int, Queue<UnrollId>> _gradients = [];
    private List<(PushGradient Part, IActorRef From)> _parts = [];

    /// <summary>A part has come.</summary>
    public void Add(PushGradient part, IActorRef from)
    {
        if (!_gradients.TryGetValue(part.Id.Worker, out var gradients)) _gradients[part.Id.Worker] = gradients = new Queue<UnrollId>();
        if (!gradients.Contains(part.Id))
        {
            gradients.Enqueue(part.Id);
            if (gradients.Count > credits && gradients.Dequeue() is var oldest) _parts.RemoveAll(each => each.Part.Id == oldest);
        }
        _parts.Add((part, from));
    }

    /// <summary>Takes all parts out.</summary>
    public List<(PushGradient Part, IActorRef From)> TakeAll()
    {
        var all = _parts;
        Clear();
        return all;
    }

    /// <summary>A learner is gone.</summary>
    public void Forget(int worker)
    {
        if (_gradients.Remove(worker)) _parts.RemoveAll(each => each.Part.Id.Worker == worker);
    }

    public void Clear()
    {
        _gradients.Clear();
        _parts = [];
    }
}
