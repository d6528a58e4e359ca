namespace Moat.Runtime.Launch;

/// <summary>Standard input, output and error of a container's process.</summary>
/// <param name="Input">Descriptor 0.</param>
/// <param name="Output">Descriptor 1.</param>
/// <param name="Error">Descriptor 2.</param>
/// <param name="IsOwnTerminal">Whether they are a terminal that belongs to the container alone, to be made its controlling terminal.</param>
public readonly record struct SandboxStreams(int Input, int Output, int Error, bool IsOwnTerminal)
{
    /// <summary>The streams of the command itself.</summary>
    public static SandboxStreams Inherited => new(0, 1, 2, false);
}
