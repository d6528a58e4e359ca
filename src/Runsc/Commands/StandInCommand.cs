using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>stand-in</c>: stands for a container that shares another's sandbox.</summary>
internal sealed class StandInCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "stand-in";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags) => ContainerStandIn.Run(context.Options, CommandContext.OneId(this, flags));
}
