using Moat.Control;
using Moat.Runtime.Exec;
using Moat.Runtime.State;
using Moat.Runtime;
using Runsc.Flags;
using System.Globalization;
using System.Text.Json;

namespace Runsc.Commands;

/// <summary><c>ps</c>: list the processes of a container.</summary>
internal sealed class PsCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "ps";

    /// <inheritdoc/>
    public string Usage => "[--format table|json] <id>";

    /// <inheritdoc/>
    public string Summary => "list the processes of a container";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("format", FlagKind.Text, "table", "table (processes in the container) or json (pids on the host)", ["table", "json"], Alias: "f"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string id = CommandContext.OneId(this, flags);
        Container container = Container.Open(context.Options, id);
        if (container.Status == ContainerStatus.Stopped)
        {
            throw new RuntimeException("container not running");
        }

        // Engines want processes of the host: those that stand for processes of the container.
        if (flags.Text("format") == "json")
        {
            int[] pids = [container.Record.Process.Pid, .. ExecProxy.List(context.Options, id)];
            Console.Out.WriteLine(JsonSerializer.Serialize(pids, CommandJson.Default.Int32Array));
            return 0;
        }

        List<string[]> rows = [["UID", "PID", "PPID", "C", "TTY", "STIME", "TIME", "CMD"]];
        foreach (GuestProcess process in container.Ask(new ControlRequest { Method = ControlMethod.Processes }).Processes ?? [])
        {
            DateTime started = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(process.StartTimeSeconds, 0, uint.MaxValue)).LocalDateTime;
            rows.Add(
            [
                process.Uid.ToString(CultureInfo.InvariantCulture), process.Pid.ToString(CultureInfo.InvariantCulture), process.ParentPid.ToString(CultureInfo.InvariantCulture), "0",
                process.Terminal, started.ToString("HH:mm", CultureInfo.InvariantCulture), $"{process.CpuTimeMs / 1000}.{process.CpuTimeMs % 1000:D3}s", process.Command,
            ]);
        }

        TextTable.Write(Console.Out, rows);
        return 0;
    }
}
