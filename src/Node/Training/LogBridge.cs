using Akka.Actor;
using Akka.Event;
using Serilog;

namespace Rl.Distributed.Node.Training;

/// <summary>Is responsible for the engine's log events reaching Serilog.</summary>
internal sealed class LogBridge : ReceiveActor
{
    public LogBridge(ILogger logger)
    {
        Receive<Error>(message => logger.Error(message.Cause, "{Source}: {Message}", message.LogSource, message.Message));
        Receive<Warning>(message => logger.Warning(message.Cause, "{Source}: {Message}", message.LogSource, message.Message));
        Receive<Info>(message => logger.Information("{Source}: {Message}", message.LogSource, message.Message));
    }

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(Error));
        Context.System.EventStream.Subscribe(Self, typeof(Warning));
        Context.System.EventStream.Subscribe(Self, typeof(Info));
    }
}
