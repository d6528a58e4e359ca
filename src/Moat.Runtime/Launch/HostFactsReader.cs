using System.Globalization;
using Moat.Control;
using Moat.Host;
using Moat.Host.Terminals;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Launch;

/// <summary>Finds out about the host what a Sentry cannot any more.</summary>
internal static class HostFactsReader
{
    private const int MinProcessorsFromQuota = 2;
    private const int MinTasks = 128;
    private const int MaxTasks = 16384;
    private const long FallbackMemory = 2L << 30;

    /// <summary>Processors: those that the runtime may use, fewer if a quota allows fewer. Memory: the limit or the host's total. Tasks: the limit, or a part of what the host can have.</summary>
    public static BootFacts Read(OciResources? resources, int terminal)
    {
        int processors = Environment.ProcessorCount;
        if (resources?.Cpu is { Quota: > 0 and { } quota, Period: > 0 and { } period })
        {
            int allowed = (int)Math.Min((quota + (long)period - 1) / (long)period, int.MaxValue);
            processors = Math.Min(processors, Math.Max(allowed, MinProcessorsFromQuota));
        }

        // Two threads of the host for each: half of what the host can have at all stays for others.
        long tasks = Math.Clamp(Math.Min(ReadNumber("/proc/sys/kernel/pid_max"), ReadNumber("/proc/sys/kernel/threads-max")) / 4, MinTasks, MaxTasks);
        if (resources?.Pids?.Limit is > 0 and { } pids)
        {
            tasks = Math.Min(tasks, pids);
        }

        long memory = TotalMemory();
        if (resources?.Memory?.Limit is > 0 and { } limit)
        {
            memory = Math.Min(memory, limit);
        }

        (int rows, int columns) = terminal >= 0 ? PseudoTerminal.Measure(terminal) : default;
        return new BootFacts { ProcessorCount = processors, MaxTasks = (int)tasks, MemoryBytes = (ulong)memory, Niceness = OwnNiceness(), TerminalRows = rows, TerminalColumns = columns };
    }

    private static int OwnNiceness()
    {
        const int KernelZero = 20; // the call returns 20 - nice
        SyscallResult priority = HostCall.Invoke(SyscallNumber.getpriority, 0, 0);
        return priority.IsError ? 0 : KernelZero - (int)priority.Raw;
    }

    private static long ReadNumber(string path)
    {
        using StreamReader reader = new(path);
        return long.TryParse(reader.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : MaxTasks * 4L;
    }

    private static long TotalMemory()
    {
        // MemTotal:       24608440 kB, the first line.
        using StreamReader reader = new("/proc/meminfo");
        string[] words = (reader.ReadLine() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes * 1024 : FallbackMemory;
    }
}
