using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;

namespace Moat.Filesystems.Proc;

/// <summary>The files at the top of proc that tell of the system as a whole.</summary>
internal static class SystemFiles
{
    private const long NanosecondsPerTick = 10_000_000; // USER_HZ is 100

    /// <summary>Adds them to the root.</summary>
    public static void AddTo(StaticDirectory root, ProcFilesystem proc)
    {
        SentryKernel kernel = proc.Kernel;
        string cpuInfo = CpuInfo.Generate(kernel.Facts.ProcessorCount);
        void Add(string name, Func<GuestTask, string> content) => root.Add(name, new TextFile(proc, content));

        Add("cmdline", _ => "BOOT_IMAGE=/vmlinuz-" + KernelVersion.Release + " quiet\n");
        Add("cpuinfo", _ => cpuInfo);
        Add("devices", _ => Devices);
        Add("diskstats", _ => "");
        Add("filesystems", _ => Filesystems);
        Add("interrupts", _ => "");
        Add("loadavg", _ => LoadAverage(proc));
        Add("meminfo", _ => MemoryInformation(kernel));
        Add("modules", _ => "");
        Add("partitions", _ => "major minor  #blocks  name\n\n");
        Add("stat", _ => Statistics(kernel));
        Add("swaps", _ => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        root.Add("sysvipc", SysvipcFiles.Make(proc));
        Add("uptime", _ => Uptime(kernel));
        Add("version", _ => $"{KernelVersion.SystemName} version {KernelVersion.Release} (moat@moat) {KernelVersion.Version}\n");
        Add("vmstat", _ => "nr_free_pages " + (kernel.Facts.MemoryBytes / 4096).ToString(CultureInfo.InvariantCulture) + "\n");
    }

    private const string Devices =
        "Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n136 pts\n\nBlock devices:\n";

    private const string Filesystems =
        "nodev\tsysfs\nnodev\ttmpfs\nnodev\tcgroup2\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\toverlay\nnodev\t9p\n";

    private static string LoadAverage(ProcFilesystem proc)
    {
        SentryKernel kernel = proc.Kernel;
        ProcessCounts counts = ProcessCounts.Of(kernel);
        (double one, double five, double fifteen) = kernel.Load.Read();
        return string.Create(CultureInfo.InvariantCulture, $"{one:F2} {five:F2} {fifteen:F2} {Math.Max(1, counts.Running)}/{counts.Threads} {proc.Pids.LastPid}\n");
    }

    private static string MemoryInformation(SentryKernel kernel)
    {
        ulong total = kernel.Facts.MemoryBytes / 1024;
        ulong used = Math.Min(total, kernel.MemoryFile.UsedBytes / 1024);
        ulong free = total - used;
        StringBuilder text = new();
        void Line(string name, ulong kilobytes) => text.Append(CultureInfo.InvariantCulture, $"{name + ":",-15}{kilobytes,9} kB\n");
        Line("MemTotal", total);
        Line("MemFree", free);
        Line("MemAvailable", free);
        Line("Buffers", 0);
        Line("Cached", 0);
        Line("SwapCached", 0);
        Line("Active", used);
        Line("Inactive", 0);
        Line("Active(anon)", used);
        Line("Inactive(anon)", 0);
        Line("Active(file)", 0);
        Line("Inactive(file)", 0);
        Line("Unevictable", 0);
        Line("Mlocked", 0);
        Line("SwapTotal", 0);
        Line("SwapFree", 0);
        Line("Dirty", 0);
        Line("Writeback", 0);
        Line("AnonPages", used);
        Line("Mapped", 0);
        Line("Shmem", 0);
        Line("Slab", 0);
        Line("SReclaimable", 0);
        Line("SUnreclaim", 0);
        Line("CommitLimit", total);
        Line("Committed_AS", used);
        Line("VmallocTotal", 34359738367);
        Line("VmallocUsed", 0);
        text.Append("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n");
        Line("Hugepagesize", 2048);
        return text.ToString();
    }

    private static string Statistics(SentryKernel kernel)
    {
        ProcessCounts counts = ProcessCounts.Of(kernel);
        long uptimeTicks = (kernel.Clock.MonotonicNs - kernel.Facts.BootMonotonicNs) / NanosecondsPerTick;
        long userTicks = counts.Cpu.UserNs / NanosecondsPerTick;
        long systemTicks = counts.Cpu.SystemNs / NanosecondsPerTick;
        int processors = kernel.Facts.ProcessorCount;
        long idleTicks = Math.Max(0, (uptimeTicks * processors) - userTicks - systemTicks);
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"cpu  {userTicks} 0 {systemTicks} {idleTicks} 0 0 0 0 0 0\n");
        for (int i = 0; i < processors; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"cpu{i} {userTicks / processors} 0 {systemTicks / processors} {idleTicks / processors} 0 0 0 0 0 0\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"intr 0\nctxt {counts.Switches}\nbtime {kernel.Facts.BootRealtimeNs / 1_000_000_000}\nprocesses {counts.Created}\nprocs_running {Math.Max(1, counts.Running)}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
        return text.ToString();
    }

    private static string Uptime(SentryKernel kernel)
    {
        long uptimeNs = kernel.Clock.MonotonicNs - kernel.Facts.BootMonotonicNs;
        ProcessCounts counts = ProcessCounts.Of(kernel);
        long idleNs = Math.Max(0, (uptimeNs * kernel.Facts.ProcessorCount) - counts.Cpu.UserNs - counts.Cpu.SystemNs);
        return string.Create(CultureInfo.InvariantCulture, $"{uptimeNs / 1_000_000_000}.{uptimeNs / 10_000_000 % 100:D2} {idleNs / 1_000_000_000}.{idleNs / 10_000_000 % 100:D2}\n");
    }
}
