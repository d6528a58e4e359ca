using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>pause</c>: stop all processes of a container until resume.</summary>
internal sealed class PauseCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "pause";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "stop all processes of a container until resume";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        Container.Open(context.Options, CommandContext.OneId(this, flags)).Pause();
        return 0;
    }
}
