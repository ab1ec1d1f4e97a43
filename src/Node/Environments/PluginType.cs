using System.Reflection;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Environments;

/// <summary>A user's type that is an environment, and how it is made.</summary>
internal sealed class PluginType
{
    private const BindingFlags Construction = BindingFlags.DoNotWrapExceptions;

    private static readonly Type[][] OfCopies = [[], [typeof(EnvironmentOptions)]];
    private static readonly Type[][] OfBatches =
        [[typeof(int), typeof(RandomStream)], [typeof(EnvironmentOptions), typeof(int), typeof(RandomStream)]];

    private readonly string _name;
    private readonly bool _isBatch;
    private readonly ConstructorInfo _constructor;

    /// <param name="name">The plug-in's name, for errors.</param>
    /// <param name="type">The type.</param>
    /// <exception cref="EnvironmentException">It is no environment, or cannot be made; the message says what its author has to do.</exception>
    public PluginType(string name, Type type)
    {
        _name = name;
        _isBatch = typeof(IEnvironmentBatch).IsAssignableFrom(type);
        if (!_isBatch && !typeof(IEnvironment).IsAssignableFrom(type))
        {
            throw new EnvironmentException(
                $"'{name}': {type.Name} is no environment: implement {nameof(IDiscreteEnvironment)} (or {nameof(IContinuousEnvironment)}, or {nameof(IEnvironmentBatch)}).");
        }
        if (type.IsAbstract) throw new EnvironmentException($"'{name}': {type.Name} is abstract: name a class that derives from it.");
        if (type.ContainsGenericParameters) throw new EnvironmentException($"'{name}': {type.Name} is generic: name a class that derives from it.");
        if (!_isBatch && !IsPlayable(type))
        {
            throw new EnvironmentException(
                $"'{name}': {type.Name} implements {nameof(IEnvironment)}, which has no Step: implement {nameof(IDiscreteEnvironment)} or {nameof(IContinuousEnvironment)}.");
        }
        _constructor = (_isBatch ? OfBatches : OfCopies).Select(parameters => type.GetConstructor(parameters)).LastOrDefault(each => each is not null)
            ?? throw new EnvironmentException($"'{name}': {type.Name} needs a public constructor {(_isBatch
                ? "(int count, RandomStream random) or (EnvironmentOptions options, int count, RandomStream random)"
                : "without parameters, or with (EnvironmentOptions options)")}.");
    }

    /// <summary>Whether its constructor asks for the options.</summary>
    public bool TakesOptions => _constructor.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(EnvironmentOptions);

    /// <summary>Whether a type of an assembly could be named.</summary>
    public static bool IsEnvironment(Type type) =>
        !type.IsAbstract && !type.ContainsGenericParameters && (typeof(IEnvironmentBatch).IsAssignableFrom(type) || IsPlayable(type));

    /// <summary>Makes a batch that is watched at play.</summary>
    /// <exception cref="EnvironmentException">Its constructor or its spec is at fault.</exception>
    public IEnvironmentBatch Create(EnvironmentOptions options, int count, RandomStream random)
    {
        var batch = _isBatch
            ? (IEnvironmentBatch)New(TakesOptions ? [options, count, random] : [count, random])
            : new EnvironmentBatch(() => (IEnvironment)New(TakesOptions ? [options] : []), count, random, _name);
        return new CheckedBatch(batch, _name, count);
    }

    private static bool IsPlayable(Type type) => typeof(IDiscreteEnvironment).IsAssignableFrom(type) || typeof(IContinuousEnvironment).IsAssignableFrom(type);

    private object New(object[] arguments)
    {
        try
        {
            return _constructor.Invoke(Construction, binder: null, arguments, culture: null);
        }
        catch (Exception error)
        {
            throw EnvironmentFailure.Threw($"'{_name}': the constructor", error);
        }
    }
}
