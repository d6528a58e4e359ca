using Moat.Control;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>kill</c>: send a signal to a container (default: SIGTERM).</summary>
internal sealed class KillCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "kill";

    /// <inheritdoc/>
    public string Usage => "[--all] [--pid N] [--pgid N] <id> [signal]";

    /// <inheritdoc/>
    public string Summary => "send a signal to a container (default: SIGTERM)";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("all", FlagKind.Boolean, "false", "to every process of the container", Alias: "a"),
        new("pid", FlagKind.Number, "0", "to this process in the container"),
        new("pgid", FlagKind.Number, "0", "to this process group in the container"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count is 0 or > 2)
        {
            throw new RuntimeException("kill: usage: runsc kill [--all] [--pid N] [--pgid N] <id> [signal]");
        }

        string name = flags.Arguments.Count == 2 ? flags.Arguments[1] : "SIGTERM";
        if (SignalName.Parse(name) is not { } signal)
        {
            throw new RuntimeException($"kill: unknown signal \"{name}\"");
        }

        int pid = flags.Number("pid");
        int group = flags.Number("pgid");
        if (pid < 0 || group < 0 || (pid > 0 && group > 0))
        {
            throw new RuntimeException("kill: -pid and -pgid take a positive number, and only one of them");
        }

        SignalScope scope = flags.IsSet("all") ? SignalScope.All : group > 0 ? SignalScope.Group : SignalScope.Process;
        Container.Open(context.Options, flags.Arguments[0]).Kill(signal, group > 0 ? group : pid, scope);
        return 0;
    }
}
