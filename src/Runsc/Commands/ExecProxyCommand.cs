using Moat.Runtime.Exec;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>exec-proxy</c>: stands for a process that a detached exec started.</summary>
internal sealed class ExecProxyCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "exec-proxy";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        return ExecProxy.Run(context.Options);
    }
}
