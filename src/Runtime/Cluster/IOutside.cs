using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>What a <see cref="Participant"/> acts upon. No call comes back into the participant.</summary>
internal interface IOutside
{
    /// <summary>Milliseconds since 1970.</summary>
    long WallClock { get; }

    /// <summary>Tells the membership of another node; it may be lost.</summary>
    void Send(Address peer, object message);

    /// <summary>As <see cref="Remote.ITransport.Keep"/>.</summary>
    void Keep(Address peer);

    void Release(Address peer);

    /// <summary>The incarnation is dead to this node: its watchers are told, nothing more is taken from it.</summary>
    void Gone(UniqueAddress node);

    /// <param name="before">Null at the first.</param>
    /// <param name="after">This node is a member in it.</param>
    void Changed(View before, View after);

    /// <summary>This node is no longer a member and never will be again.</summary>
    /// <param name="last">Null if it never was one.</param>
    /// <param name="goneAs">Exiting or Down.</param>
    void Ended(View last, MemberStatus goneAs);

    void Log(LogLevel level, string text);
}
