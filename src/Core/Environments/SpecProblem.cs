namespace Rl.Distributed.Core.Environments;

/// <summary>What an environment's author has to mend in a spec.</summary>
public static class SpecProblem
{
    /// <summary>The most actions that an environment may have.</summary>
    public const int MaxActions = 1 << 16;

    /// <returns>One sentence; null where the spec is sound.</returns>
    public static string? Of(EnvironmentSpec? spec) => spec switch
    {
        null => "Spec is null: return a new EnvironmentSpec.",
        { Name: var name } when string.IsNullOrWhiteSpace(name) => "Spec has no name: give EnvironmentSpec a short one.",
        { Observation: null } => "Spec has no observation: give EnvironmentSpec an ObservationSpec.",
        { Action: null } => "Spec has no actions: give EnvironmentSpec a DiscreteActionSpec or a ContinuousActionSpec.",
        { Action: DiscreteActionSpec { Count: < 1 or > MaxActions } discrete } =>
            $"Spec has {discrete.Count} actions: give DiscreteActionSpec 1 to {MaxActions}.",
        { Action: ContinuousActionSpec continuous } => Of(continuous),
        _ => null,
    };

    private static string? Of(ContinuousActionSpec action)
    {
        if (action.Low.IsDefaultOrEmpty || action.High.IsDefaultOrEmpty || action.Low.Length != action.High.Length)
            return $"ContinuousActionSpec has {Count(action.Low)} lower and {Count(action.High)} upper bounds: give as many of each, at least 1.";
        for (var i = 0; i < action.Low.Length; i++)
            if (!(float.IsFinite(action.Low[i]) && float.IsFinite(action.High[i]) && action.Low[i] < action.High[i]))
                return $"ContinuousActionSpec has bounds {action.Low[i]} to {action.High[i]} in dimension {i}: give finite ones, the lower first.";
        return null;
    }

    private static int Count(System.Collections.Immutable.ImmutableArray<float> bounds) => bounds.IsDefault ? 0 : bounds.Length;
}
