using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class EventSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void Subscribers_get_events_of_the_type_and_its_subtypes_once(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var stream = at.System.EventStream;
        Assert.True(stream.Subscribe(probe.Ref, typeof(Exception)));
        Assert.False(stream.Subscribe(probe.Ref, typeof(Exception)));
        Assert.True(stream.Subscribe(probe.Ref, typeof(ArgumentException)));
        stream.Publish(new ArgumentException("once"));
        stream.Publish(new InvalidOperationException("by base type"));
        stream.Publish("text");
        Assert.Equal("once", probe.ExpectMsg<Exception>().Message);
        Assert.Equal("by base type", probe.ExpectMsg<Exception>().Message);
        Assert.True(stream.Unsubscribe(probe.Ref, typeof(Exception)));
        Assert.False(stream.Unsubscribe(probe.Ref, typeof(Exception)));
        stream.Publish(new InvalidOperationException("no more"));
        Assert.True(stream.Unsubscribe(probe.Ref));
        stream.Publish(new ArgumentException("no more"));
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_dead_subscriber_is_forgotten(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var dead = at.Act(_ => { });
        at.System.EventStream.Subscribe(dead, typeof(DeadLetter));
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        at.System.Stop(dead);
        at.Settle();
        dead.Tell("would be published to it for ever");
        probe.ExpectMsg<DeadLetter>();
        Assert.False(at.System.EventStream.Unsubscribe(dead));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_dead_letter_is_published_once_though_a_subscriber_dies_with_it_unread(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var dying = at.Act(act => act.On<string>(_ =>
        {
            act.Ctx.System.DeadLetters.Tell("letter"); // published to this actor too, which does not live to read it
            act.Ctx.Stop(act.Me);
        }));
        at.System.EventStream.Subscribe(dying, typeof(DeadLetter));
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        dying.Tell("go");
        Assert.Equal("letter", probe.ExpectMsg<DeadLetter>().Message);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void Loggers_publish_what_their_level_lets_through(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(LogEvent));
        var cause = new InvalidOperationException("cause");
        var actor = at.Act(act => act.OnAny(_ =>
        {
            var log = act.Ctx.GetLogger();
            log.Debug("not at this level");
            log.Info("plain {0}");
            log.Warning("{0} and {1}", 1, 2);
            log.Error(cause, "{0} {1} {2}", "a", "b", "c");
        }));
        actor.Tell("go");
        Assert.Equal("plain {0}", probe.ExpectMsg<Info>().Message);
        Assert.Equal("1 and 2", probe.ExpectMsg<Warning>().Message.ToString());
        var error = probe.ExpectMsg<Error>();
        Assert.Equal(("a b c", cause, actor.Path.ToString(), typeof(Act), LogLevel.ErrorLevel),
            (error.Message.ToString(), error.Cause, error.LogSource, error.LogClass, error.LogLevel()));
        Assert.Equal(at.System.Scheduler.Now.UtcDateTime, error.Timestamp);

        at.System.EventStream.SetLogLevel(LogLevel.DebugLevel);
        actor.Tell("go");
        Assert.Equal("not at this level", probe.ExpectMsg<Debug>().Message);
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_system_has_a_logger_of_its_own(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(LogEvent));
        var log = at.System.Log;
        Assert.True(log.IsInfoEnabled && log.IsWarningEnabled && log.IsErrorEnabled && log.IsEnabled(LogLevel.InfoLevel)
            && !log.IsDebugEnabled);
        log.Log(LogLevel.WarningLevel, null, "from the system");
        Assert.Equal(at.System.Name, probe.ExpectMsg<Warning>().LogSource);
    }

    [Theory, MemberData(nameof(Engines))]
    public void All_log_methods_reach_the_stream(string engine)
    {
        using var at = Harness.Start(engine);
        at.System.EventStream.SetLogLevel(LogLevel.DebugLevel);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(LogEvent));
        var cause = new InvalidOperationException("cause");
        var count = 0;
        at.Act(act => act.OnAny(_ =>
        {
            object log = act.Ctx.GetLogger();
            foreach (var method in typeof(LoggingExtensions).GetMethods().Where(method => method.IsStatic))
            {
                var closed = method.IsGenericMethod
                    ? method.MakeGenericMethod([.. method.GetGenericArguments().Select(_ => typeof(int))])
                    : method;
                closed.Invoke(null, [.. closed.GetParameters().Select(parameter => parameter.Name switch
                {
                    "log" => log,
                    "cause" => cause,
                    "format" => method.Name,
                    _ => 1,
                })]);
                count++;
            }
            probe.Ref.Tell("end");
        })).Tell("go");
        while (probe.ExpectMsg<object>() is LogEvent logged)
        {
            Assert.Equal(logged.GetType().Name, logged.Message);
            count--;
        }
        Assert.Equal(0, count);
    }
}
