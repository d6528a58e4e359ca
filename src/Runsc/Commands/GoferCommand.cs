using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>gofer</c>: a container's Gofer, started by create with its configuration on a descriptor.</summary>
internal sealed class GoferCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "gofer";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags) => Moat.Gofer.GoferProcess.Run();
}
