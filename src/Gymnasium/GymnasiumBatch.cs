using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium;

/// <summary>What a batch needs beside its options: how to make processes, and who is told of failures.</summary>
/// <param name="Request">What is asked of Python.</param>
/// <param name="Facts">What it answered.</param>
/// <param name="Host">Which Python.</param>
/// <param name="TakeSpare">A process that has made the environment already; null where there is none.</param>
/// <param name="Notice">Is told of each failure: what happened, in a line, and details, in many.</param>
/// <param name="Clock">The time of the limit of failures.</param>
internal sealed record GymnasiumSetup(
    GymnasiumRequest Request, GymnasiumFacts Facts, PythonHost Host, Func<PythonProcess?> TakeSpare, Action<string, string> Notice,
    TimeProvider Clock);

/// <summary>B copies of a Gymnasium environment in Python processes, which step at the same time.</summary>
/// <remarks>
/// Copies are seeded from the stream at their first reset, and begin their next episode in the step that ends one. A failure costs the
/// episodes that it broke off: they end as truncated and lost, with the last good observation and no reward; the copy is reset, or the
/// process started again, with new seeds. More failures within ten minutes than the options bear end the batch with the reason.
/// </remarks>
internal sealed class GymnasiumBatch : IEnvironmentBatch, IHasLives, IDisposable
{
    private readonly GymnasiumSetup _setup;
    private readonly TimeSpan _timeout;
    private readonly int _bearable;
    private readonly FailureBook _failures;
    private readonly CopyGroup[] _groups;
    private readonly WireObservations _wire;
    private readonly int[] _lives;
    private readonly int _bytes;
    private RandomStream _random;
    private FramePicture? _picture;
    private int _slot;
    private bool _disposed;

    /// <exception cref="EnvironmentException">The copies cannot be made.</exception>
    public GymnasiumBatch(GymnasiumSetup setup, EnvironmentOptions options, int count, RandomStream random)
    {
        (_setup, _random, Count) = (setup, random, count);
        (_timeout, _bearable) = (TimeSpan.FromSeconds(options.TimeoutSeconds), options.Restarts);
        _failures = new FailureBook(_bearable, setup.Clock);
        _wire = new WireObservations(setup.Facts);
        (_lives, _bytes) = (new int[count], Spec.Observation.ByteCount);
        var processes = Math.Min(options.Subprocesses, count);
        _groups = new CopyGroup[processes];
        for (var i = 0; i < processes; i++)
        {
            var first = (int)((long)i * count / processes);
            _groups[i] = new CopyGroup(setup.Request, setup.Facts, first, (int)((i + 1L) * count / processes) - first);
        }
        try
        {
            Start(_groups);
        }
        catch (PythonException e)
        {
            Dispose();
            throw e.Of(Spec.Name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public EnvironmentSpec Spec => _setup.Facts.Spec;

    public int Count { get; }

    /// <summary>Of each copy after the last step; 0 in games without.</summary>
    public ReadOnlySpan<int> Lives => _lives;

    /// <summary>Of the Python processes, for those who look after them.</summary>
    public IEnumerable<int> ProcessIds => _groups.Select(group => group.ProcessId);

    public void Reset(Span<byte> observations)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        BatchArguments.CheckReset(Spec, Count, observations);
        _slot = 0;
        var failures = new PythonException?[_groups.Length];
        ForEach(failures, group => group.SendReset(_slot));
        ForEach(failures, group => group.ReceiveReset());
        for (var i = 0; i < _groups.Length; i++)
            if (failures[i] is { } failure) Restart(_groups[i], failure, "");
        foreach (var group in _groups) ReadFirst(group, observations);
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Spec.Action is not DiscreteActionSpec discrete)
            throw new NotSupportedException($"Environment '{Spec.Name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, discrete.Count);
        foreach (var group in _groups) group.WriteActions(actions);
        StepAll(results);
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Spec.Action is not ContinuousActionSpec continuous)
            throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        foreach (var group in _groups) group.WriteActions(actions, continuous);
        StepAll(results);
    }

    /// <summary>A picture of the environment's own where it draws one and is alone in its batch, else its observation in numbers.</summary>
    public void Render(int index, TextCanvas canvas)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        BatchArguments.CheckIndex(index, Count);
        _picture ??= new FramePicture(asks: Count == 1);
        var last = _groups.Length - 1;
        while (_groups[last].First > index) last--;
        _picture.Draw(_groups[last], _slot, index - _groups[last].First, _setup.Facts, canvas);
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (var group in _groups) group.Hangup();
        foreach (var group in _groups) group.Dispose();
    }

    // Every process is told before any is waited for.
    private void StepAll(in StepResults results)
    {
        _slot ^= 1;
        foreach (var group in _groups) group.SendStep(_slot);
        foreach (var group in _groups) group.ReceiveStep();
        foreach (var group in _groups)
        {
            if (group.Failure is { } failure) LoseAll(group, failure, results);
            else Read(group, results);
        }
    }

    private void Read(CopyGroup group, in StepResults results)
    {
        group.Rewards.CopyTo(results.Rewards[group.First..]);
        group.Terminated.CopyTo(results.Terminated[group.First..]);
        group.Truncated.CopyTo(results.Truncated[group.First..]);
        group.Lives.CopyTo(_lives.AsSpan(group.First));
        for (var copy = 0; copy < group.Count; copy++)
        {
            var index = group.First + copy;
            var ended = results.Terminated[index] | results.Truncated[index];
            if (float.IsFinite(results.Rewards[index])
                && _wire.TryConvert(group.Observation(_slot, copy), Row(results.Observations, index))
                && (!ended || _wire.TryConvert(group.Final(copy), Row(results.FinalObservations, index))))
                continue;
            if (Renew(group, copy, results) is not { } failure) continue;
            LoseAll(group, failure, results);
            return;
        }
    }

    /// <summary>Gives up the episode of one copy that failed and begins its next one; not null where that failed too.</summary>
    private PythonException? Renew(CopyGroup group, int copy, in StepResults results)
    {
        var index = group.First + copy;
        var failure = Failures.Of(group, copy, index, results.Rewards[index]);
        if (!_failures.Bears()) throw GiveUp(failure);
        Notice(failure, "the episode is lost");
        _wire.TryConvert(group.Observation(_slot ^ 1, copy), Row(results.FinalObservations, index));
        try
        {
            group.Renew(_slot, copy, NextSeed());
        }
        catch (PythonException e)
        {
            return e;
        }
        if (!_wire.TryConvert(group.Observation(_slot, copy), Row(results.Observations, index))) throw GiveUp(Failures.BadFirst);
        _lives[index] = group.Lives[copy];
        NoteLost(index, results);
        return null;
    }

    /// <summary>Gives up the episodes of a process that failed, and starts another one.</summary>
    private void LoseAll(CopyGroup group, PythonException failure, in StepResults results)
    {
        for (var copy = 0; copy < group.Count; copy++)
            _wire.TryConvert(group.Observation(_slot ^ 1, copy), Row(results.FinalObservations, group.First + copy));
        Restart(group, failure, group.Count == 1 ? "its episode is lost" : $"its {group.Count} episodes are lost");
        ReadFirst(group, results.Observations);
        for (var copy = 0; copy < group.Count; copy++) NoteLost(group.First + copy, results);
    }

    private static void NoteLost(int index, in StepResults results)
    {
        (results.Rewards[index], results.Terminated[index], results.Truncated[index]) = (0, false, true);
        if (!results.Notes.IsEmpty) results.Notes[index] = StepNotes.EpisodeLost;
    }

    private void ReadFirst(CopyGroup group, Span<byte> observations)
    {
        for (var copy = 0; copy < group.Count; copy++)
            if (!_wire.TryConvert(group.Observation(_slot, copy), Row(observations, group.First + copy))) throw GiveUp(Failures.BadFirst);
        group.Lives.CopyTo(_lives.AsSpan(group.First));
    }

    private void Restart(CopyGroup group, PythonException failure, string lost)
    {
        while (true)
        {
            group.Kill();
            if (!_failures.Bears()) throw GiveUp(failure);
            Notice(failure, lost);
            try
            {
                Start([group]);
                group.SendReset(_slot);
                group.ReceiveReset();
                return;
            }
            catch (PythonException e)
            {
                (failure, lost) = (e, "");
            }
        }
    }

    // All at once: a start is mostly imports, which take a second and more.
    private void Start(CopyGroup[] groups)
    {
        foreach (var group in groups)
        {
            var spare = _setup.TakeSpare();
            group.Begin(spare ?? new PythonProcess(_setup.Host, _timeout), isMade: spare is not null);
        }
        foreach (var group in groups) group.SendMake();
        foreach (var group in groups) group.ReceiveMake();
        foreach (var group in groups)
        {
            var seeds = new uint[group.Count];
            foreach (ref var seed in seeds.AsSpan()) seed = NextSeed();
            group.SendMap(seeds, render: Count == 1);
        }
        foreach (var group in groups) group.ReceiveMap();
    }

    private EnvironmentException GiveUp(PythonException failure)
    {
        Dispose();
        return failure.Of(Spec.Name, isFinal: _failures.Count > _bearable, before: _failures.Count <= 1 ? "" :
            $"failed {_failures.Count} times within {FailureBook.Window.TotalMinutes:0} minutes, more than environment.restarts ({_bearable}). "
            + "The last time: ");
    }

    private void Notice(PythonException failure, string lost) => _setup.Notice(
        $"{Spec.Name}: {failure.Brief}{(lost.Length > 0 ? $" So {lost}." : "")} Failure {_failures.Count} of {_bearable} that are borne within "
        + $"{FailureBook.Window.TotalMinutes:0} minutes.",
        failure.Details);

    private void ForEach(PythonException?[] failures, Action<CopyGroup> action)
    {
        for (var i = 0; i < _groups.Length; i++)
        {
            if (failures[i] is not null) continue;
            try
            {
                action(_groups[i]);
            }
            catch (PythonException e)
            {
                failures[i] = e;
            }
        }
    }

    private uint NextSeed() => _random.NextUInt32() >> 1;

    private Span<byte> Row(Span<byte> rows, int index) => rows.Slice(index * _bytes, _bytes);
}
