using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>create</c>: make a container that waits for start.</summary>
internal sealed class CreateCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "create";

    /// <inheritdoc/>
    public string Usage => "[flags] <id>";

    /// <inheritdoc/>
    public string Summary => "make a container that waits for start";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => CreateFlags.All;

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        ContainerCreator.Create(context.Options, CreateFlags.Read(context, flags, CommandContext.OneId(this, flags), isDetached: true), context.Errors.Warning);
        return 0;
    }
}
