using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>flags</c>: print the global flags.</summary>
internal sealed class FlagsCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "flags";

    /// <inheritdoc/>
    public string Usage => "";

    /// <inheritdoc/>
    public string Summary => "print the global flags";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        FlagHelp.Write(Console.Out, context.Globals.Definitions);
        return 0;
    }
}
