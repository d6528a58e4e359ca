using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>start</c>: start the process of a created container.</summary>
internal sealed class StartCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "start";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "start the process of a created container";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        foreach (string fault in Container.Open(context.Options, CommandContext.OneId(this, flags)).Start())
        {
            context.Errors.Warning(fault);
        }

        return 0;
    }
}
