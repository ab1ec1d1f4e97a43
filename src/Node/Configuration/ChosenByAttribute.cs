namespace Rl.Distributed.Node.Configuration;

/// <summary>Types that a name chooses from.</summary>
internal interface IVariants
{
    static abstract IReadOnlyList<(string Name, Type Type)> Variants { get; }
}

/// <summary>The type of this option's record depends on another option of the same record, which is written before it or has its
/// default.</summary>
/// <param name="option">The other option's property.</param>
/// <param name="variants">The type that implements <see cref="IVariants"/>.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ChosenByAttribute(string option, Type variants) : Attribute
{
    public string Option => option;

    public IReadOnlyList<(string Name, Type Type)> Variants { get; } =
        (IReadOnlyList<(string, Type)>)variants.GetProperty(nameof(IVariants.Variants))!.GetValue(null)!;
}
