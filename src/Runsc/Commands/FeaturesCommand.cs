using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>features</c>: print what of the runtime specification is there.</summary>
internal sealed class FeaturesCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "features";

    /// <inheritdoc/>
    public string Usage => "";

    /// <inheritdoc/>
    public string Summary => "print what of the runtime specification is there";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        Console.Out.Write(FeaturesText.Json);
        return 0;
    }
}
