using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>stat, status and limits of a process (proc(5)).</summary>
internal static class StatusFiles
{
    private const long NanosecondsPerTick = 10_000_000; // USER_HZ is 100

    private static readonly (string Name, int Resource, string Unit)[] s_limits =
    [
        ("Max cpu time", 0, "seconds"), ("Max file size", 1, "bytes"), ("Max data size", 2, "bytes"), ("Max stack size", 3, "bytes"), ("Max core file size", 4, "bytes"),
        ("Max resident set", 5, "bytes"), ("Max processes", 6, "processes"), ("Max open files", 7, "files"), ("Max locked memory", 8, "bytes"), ("Max address space", 9, "bytes"),
        ("Max file locks", 10, "locks"), ("Max pending signals", 11, "signals"), ("Max msgqueue size", 12, "bytes"), ("Max nice priority", 13, ""), ("Max realtime priority", 14, ""),
        ("Max realtime timeout", 15, "us"),
    ];

    /// <summary>/proc/PID/stat.</summary>
    public static void Stat(GuestTask task, PidNamespace viewer, SyntheticText text)
    {
        ProcessSnapshot seen = ProcessSnapshot.Of(task, viewer);
        StringBuilder line = new();
        line.Append(CultureInfo.InvariantCulture, $"{seen.Tid} ({task.Name}) {seen.State} {seen.ParentPid} {seen.ProcessGroup} {seen.Session} {seen.Terminal} {seen.ForegroundGroup} {seen.Flags} ");
        line.Append(CultureInfo.InvariantCulture, $"{seen.Usage.Faults} {seen.ChildrenUsage.Faults} 0 0 {seen.UserNs / NanosecondsPerTick} {seen.SystemNs / NanosecondsPerTick} {seen.ChildUserNs / NanosecondsPerTick} {seen.ChildSystemNs / NanosecondsPerTick} ");
        line.Append(CultureInfo.InvariantCulture, $"{20 + seen.Nice} {seen.Nice} {seen.Threads} 0 {(seen.StartNs - task.Kernel.Facts.BootMonotonicNs) / NanosecondsPerTick} ");
        line.Append(CultureInfo.InvariantCulture, $"{seen.Memory.Mapped} {seen.Memory.Resident / 4096} {seen.ResidentLimit} {seen.Program.CodeStart} {seen.Program.CodeEnd} {seen.Program.StackStart} 0 0 ");
        line.Append(CultureInfo.InvariantCulture, $"{seen.Pending & 0x7fffffff} {seen.Blocked & 0x7fffffff} {seen.Ignored & 0x7fffffff} {seen.Caught & 0x7fffffff} 0 0 0 {seen.ExitSignal} 0 0 0 0 0 0 ");
        line.Append(CultureInfo.InvariantCulture, $"{seen.Program.DataStart} {seen.Program.DataEnd} {seen.Program.BreakStart} {seen.Program.ArgumentStart} {seen.Program.ArgumentEnd} {seen.Program.EnvironmentStart} {seen.Program.EnvironmentEnd} {seen.ExitStatus}\n");
        text.Append(line.ToString());
    }

    /// <summary>/proc/PID/status.</summary>
    public static void Status(GuestTask task, PidNamespace viewer, SyntheticText text)
    {
        ProcessSnapshot seen = ProcessSnapshot.Of(task, viewer);
        TaskCredentials who = task.Credentials;
        StringBuilder lines = new();
        void Line(string name, string value) => lines.Append(name).Append(":\t").Append(value).Append('\n');
        void Kilobytes(string name, ulong bytes) => lines.Append(CultureInfo.InvariantCulture, $"{name}:\t{bytes / 1024,8} kB\n");
        Line("Name", task.Name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
        Line("Umask", "0" + Convert.ToString((int)task.Fs.Umask, 8).PadLeft(3, '0'));
        Line("State", DescribeState(seen.State));
        Line("Tgid", Number(seen.Pid));
        Line("Ngid", "0");
        Line("Pid", Number(seen.Tid));
        Line("PPid", Number(seen.ParentPid));
        Line("TracerPid", Number(seen.TracerPid));
        Line("Uid", $"{who.RealUid}\t{who.EffectiveUid}\t{who.SavedUid}\t{who.FilesystemUid}");
        Line("Gid", $"{who.RealGid}\t{who.EffectiveGid}\t{who.SavedGid}\t{who.FilesystemGid}");
        Line("FDSize", Number(seen.FdTableSize));
        Line("Groups", string.Join(' ', who.Groups) + " ");
        Line("NStgid", Numbers(seen.Pids));
        Line("NSpid", Numbers(seen.Tids));
        Line("NSpgid", Numbers(seen.ProcessGroups));
        Line("NSsid", Numbers(seen.Sessions));
        Line("Kthread", "0");
        if (seen.Memory is { Mapped: > 0 } memory)
        {
            Kilobytes("VmPeak", memory.PeakMapped);
            Kilobytes("VmSize", memory.Mapped);
            Kilobytes("VmLck", memory.Locked);
            Kilobytes("VmPin", 0);
            Kilobytes("VmHWM", memory.PeakResident);
            Kilobytes("VmRSS", memory.Resident);
            Kilobytes("RssAnon", memory.Anonymous);
            Kilobytes("RssFile", memory.File);
            Kilobytes("RssShmem", memory.Shared);
            Kilobytes("VmData", memory.Data);
            Kilobytes("VmStk", memory.Stack);
            Kilobytes("VmExe", memory.Text);
            Kilobytes("VmLib", memory.Library);
            Kilobytes("VmPTE", 0);
            Kilobytes("VmSwap", 0);
            Kilobytes("HugetlbPages", 0);
            Line("CoreDumping", "0");
            Line("THP_enabled", "1");
            Line("untag_mask", "0xffffffffffffffff");
        }

        Line("Threads", Number(seen.Threads));
        Line("SigQ", $"{seen.QueuedSignals}/{seen.QueuedSignalLimit}");
        Line("SigPnd", Mask(seen.Pending));
        Line("ShdPnd", Mask(seen.SharedPending));
        Line("SigBlk", Mask(seen.Blocked));
        Line("SigIgn", Mask(seen.Ignored));
        Line("SigCgt", Mask(seen.Caught));
        Line("CapInh", Mask(who.Inheritable.Bits));
        Line("CapPrm", Mask(who.Permitted.Bits));
        Line("CapEff", Mask(who.Effective.Bits));
        Line("CapBnd", Mask(who.Bounding.Bits));
        Line("CapAmb", Mask(who.Ambient.Bits));
        Line("NoNewPrivs", who.NoNewPrivileges ? "1" : "0");
        Line("Seccomp", Number(task.Seccomp?.Mode ?? 0));
        Line("Seccomp_filters", Number(task.Seccomp is { Mode: not 1 } filters ? filters.Count : 0));
        string cpus = CpuMask(task.Kernel.Facts.ProcessorCount);
        Line("Cpus_allowed", cpus);
        Line("Cpus_allowed_list", task.Kernel.Facts.ProcessorCount == 1 ? "0" : $"0-{task.Kernel.Facts.ProcessorCount - 1}");
        Line("Mems_allowed", string.Concat(Enumerable.Repeat("00000000,", 31)) + "00000001");
        Line("Mems_allowed_list", "0");
        Line("voluntary_ctxt_switches", Number(task.Usage.VoluntarySwitches));
        Line("nonvoluntary_ctxt_switches", "0");
        text.Append(lines.ToString());
    }

    /// <summary>/proc/PID/limits.</summary>
    public static void Limits(GuestTask task, SyntheticText text)
    {
        text.AppendLine($"{"Limit",-25} {"Soft Limit",-20} {"Hard Limit",-20} {"Units",-10}");
        foreach ((string name, int resource, string unit) in s_limits)
        {
            ResourceLimit limit = task.ThreadGroup.Limits.Get(resource);
            text.AppendLine($"{name,-25} {LimitText(limit.Current),-20} {LimitText(limit.Maximum),-20} {unit,-10}");
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Numbers(ReadOnlyMemory<int> values) => values.IsEmpty ? "0" : string.Join('\t', values.ToArray());

    private static string Mask(ulong bits) => bits.ToString("x16", CultureInfo.InvariantCulture);

    private static string CpuMask(int count) => (count >= 64 ? ulong.MaxValue : (1UL << count) - 1).ToString("x", CultureInfo.InvariantCulture);

    private static string LimitText(ulong value) => value == ulong.MaxValue ? "unlimited" : value.ToString(CultureInfo.InvariantCulture);

    private static string DescribeState(char state) => state switch
    {
        'R' => "R (running)",
        'S' => "S (sleeping)",
        'D' => "D (disk sleep)",
        'T' => "T (stopped)",
        't' => "t (tracing stop)",
        'Z' => "Z (zombie)",
        _ => "X (dead)",
    };
}
