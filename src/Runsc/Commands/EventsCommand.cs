using Moat.Control;
using Moat.Runtime;
using Runsc.Flags;
using System.Text.Json;

namespace Runsc.Commands;

/// <summary><c>events</c>: print counts of a container, once or every few seconds.</summary>
internal sealed class EventsCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "events";

    /// <inheritdoc/>
    public string Usage => "[--stats] [--interval N] <id>";

    /// <inheritdoc/>
    public string Summary => "print counts of a container, once or every few seconds";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("stats", FlagKind.Boolean, "false", "print them once"),
        new("interval", FlagKind.Number, "5", "seconds between two lines"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string id = CommandContext.OneId(this, flags);
        Container container = Container.Open(context.Options, id);
        int interval = flags.Number("interval");
        if (interval <= 0)
        {
            throw new RuntimeException("flag -interval: must be greater than zero");
        }

        while (true)
        {
            SandboxStatistics counts = container.Ask(new ControlRequest { Method = ControlMethod.Statistics }).Statistics ?? new SandboxStatistics();
            ulong user = (ulong)counts.CpuUserNs;
            ulong kernel = (ulong)counts.CpuSystemNs;
            StatsData data = new(new StatsCpu(new StatsCpuUsage(user + kernel, kernel, user)), new StatsMemory(new StatsMemoryUsage((ulong)counts.MemoryUsageBytes)), new StatsPids((ulong)counts.TaskCount));
            Console.Out.WriteLine(JsonSerializer.Serialize(new StatsEvent("stats", id, data), CommandJson.Default.StatsEvent));
            if (flags.IsSet("stats"))
            {
                return 0;
            }

            if (container.Record.Process.WaitForEnd(interval * 1000))
            {
                return 0;
            }
        }
    }
}
