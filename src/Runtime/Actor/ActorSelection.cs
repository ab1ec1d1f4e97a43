using System.IO.Enumeration;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Akka.Actor;

/// <summary>The actors that a path leads to at the moment of each Tell, if there are any.</summary>
/// <remarks>Elements are names, ".." and patterns with * and ?, from the anchor on.</remarks>
public class ActorSelection : ICanTell
{
    private readonly string[] _elements;

    /// <param name="anchor">Where the path begins.</param>
    /// <param name="path">Elements with / between them.</param>
    public ActorSelection(IActorRef anchor, string path)
        : this(anchor, path?.Split('/'))
    {
    }

    public ActorSelection(IActorRef anchor, IEnumerable<string> elements)
    {
        Anchor = anchor;
        _elements = [.. (elements ?? []).Where(element => element.Length > 0)];
    }

    public IActorRef Anchor { get; }

    public string PathString => "/" + string.Join('/', _elements);

    public void Tell(object message, IActorRef sender = null)
    {
        if (message is null) throw new InvalidMessageException("Message is null");
        Walk((InternalActorRefBase)Anchor, 0, message, sender ?? ActorCell.Current?.SelfRef);
    }

    public Task<IActorRef> ResolveOne(TimeSpan timeout) => ResolveOne(timeout, CancellationToken.None);

    /// <summary>The actor of the first answer.</summary>
    /// <returns>Ends with <see cref="ActorNotFoundException"/> if none answers in time.</returns>
    public async Task<IActorRef> ResolveOne(TimeSpan timeout, CancellationToken ct)
    {
        try
        {
            var identity = await this.Ask<ActorIdentity>(new Identify(null), timeout, ct).ConfigureAwait(false);
            return identity.Subject ?? throw new ActorNotFoundException("subject was null");
        }
        catch (Exception e) when (e is not ActorNotFoundException)
        {
            throw new ActorNotFoundException("Exception occurred while resolving ActorSelection", e);
        }
    }

    public override bool Equals(object obj) =>
        obj is ActorSelection other && Equals(Anchor, other.Anchor) && _elements.AsSpan().SequenceEqual(other._elements);

    public override int GetHashCode() => HashCode.Combine(Anchor, PathString);

    public override string ToString() => $"ActorSelection[Anchor({Anchor.Path}), Path({PathString})]";

    private void Walk(InternalActorRefBase at, int index, object message, IActorRef sender)
    {
        for (; index < _elements.Length; index++)
        {
            if (at is RemoteActorRef)
            {
                at.Deliver(new SelectionEnvelope(_elements[index..], message), sender);
                return;
            }
            var element = _elements[index];
            if (element.AsSpan().ContainsAny('*', '?'))
            {
                foreach (var child in at.ChildRefs.ToArray())
                {
                    if (FileSystemName.MatchesSimpleExpression(element, child.Path.Name, ignoreCase: false))
                        Walk(child, index + 1, message, sender);
                }
                return;
            }
            var next = element == ".." ? at.ParentRef ?? at : at.ChildNamed(element);
            if (next is null)
            {
                var path = _elements.Skip(index).Aggregate(at.Path, (parent, name) => parent / name);
                new MissingRef(at.SystemImpl, path).Deliver(message, sender);
                return;
            }
            at = next;
        }
        at.Deliver(message, sender);
    }
}
