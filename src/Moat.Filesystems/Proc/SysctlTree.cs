using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/sys: the settings programs read. What Moat does not act on is read-only.</summary>
internal static class SysctlTree
{
    /// <summary>Makes the tree.</summary>
    public static StaticDirectory Make(ProcFilesystem proc)
    {
        SentryKernel kernel = proc.Kernel;
        StaticDirectory Directory() => new(proc);
        TextFile Fixed(string value) => new(proc, _ => value + "\n");
        TextFile Computed(Func<GuestTask, string> value) => new(proc, task => value(task) + "\n");

        StaticDirectory random = Directory()
            .Add("boot_id", Fixed(RandomUuid(kernel)))
            .Add("uuid", Computed(task => RandomUuid(task.Kernel)))
            .Add("entropy_avail", Fixed("256"))
            .Add("poolsize", Fixed("256"));

        StaticDirectory kernelSettings = Directory()
            .Add("cap_last_cap", Fixed("40"))
            .Add("core_pattern", Fixed("core"))
            .Add("domainname", Computed(task => task.Uts.DomainName))
            .Add("hostname", Computed(task => task.Uts.HostName))
            .Add("keys", Directory().Add("maxkeys", Fixed("200")))
            .Add("msgmax", Fixed("8192"))
            .Add("msgmnb", Fixed("16384"))
            .Add("msgmni", Fixed("32000"))
            .Add("ngroups_max", Fixed("65536"))
            .Add("osrelease", Fixed(KernelVersion.Release))
            .Add("ostype", Fixed(KernelVersion.SystemName))
            .Add("overflowgid", Fixed("65534"))
            .Add("overflowuid", Fixed("65534"))
            .Add("pid_max", Fixed(PidNamespace.Limit.ToString(CultureInfo.InvariantCulture)))
            .Add("random", random)
            .Add("randomize_va_space", Fixed("2"))
            .Add("sem", Fixed("32000\t1024000000\t500\t32000"))
            .Add("shmall", Fixed("18446744073692774399"))
            .Add("shmmax", Fixed("18446744073692774399"))
            .Add("shmmni", Fixed("4096"))
            .Add("threads-max", Fixed(ProcessTableLimit.ToString(CultureInfo.InvariantCulture)))
            .Add("version", Fixed(KernelVersion.Version));

        StaticDirectory fs = Directory()
            .Add("file-max", Fixed("9223372036854775807"))
            .Add("file-nr", Fixed("0\t0\t9223372036854775807"))
            .Add("inotify", Directory().Add("max_queued_events", Fixed("16384")).Add("max_user_instances", Fixed("128")).Add("max_user_watches", Fixed("65536")))
            .Add("mount-max", Fixed("100000"))
            .Add("nr_open", Fixed("1048576"))
            .Add("pipe-max-size", Fixed("1048576"))
            .Add("protected_hardlinks", Fixed("1"))
            .Add("protected_symlinks", Fixed("1"));

        StaticDirectory vm = Directory()
            .Add("max_map_count", Fixed("65530"))
            .Add("min_free_kbytes", Fixed("67584"))
            .Add("mmap_min_addr", Fixed("65536"))
            .Add("overcommit_memory", Fixed("0"))
            .Add("overcommit_ratio", Fixed("50"))
            .Add("swappiness", Fixed("60"));

        return Directory()
            .Add("fs", fs)
            .Add("kernel", kernelSettings)
            .Add("net", new NetworkSettingDirectory(proc, static network => network.Settings, ""))
            .Add("vm", vm);
    }

    private const int ProcessTableLimit = 191_000;

    private static string RandomUuid(SentryKernel kernel)
    {
        Span<byte> bytes = stackalloc byte[16];
        kernel.Random.Fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40); // version 4, RFC 9562 section 5.4
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D", CultureInfo.InvariantCulture);
    }
}
