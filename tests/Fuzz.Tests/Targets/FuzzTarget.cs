namespace Moat.Fuzz.Targets;

/// <summary>Code that reads hostile bytes, with inputs to begin with. What it does depends on the input alone, so that what has failed once fails again.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Its name on the command line and of its folder.</summary>
    public abstract string Name { get; }

    /// <summary>Makes inputs that are right, or nearly.</summary>
    public abstract IReadOnlyList<byte[]> MakeSeeds();

    /// <summary>Tries an input. Whatever is thrown is a finding.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);
}
