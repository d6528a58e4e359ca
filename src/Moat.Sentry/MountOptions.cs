using System.Globalization;
using Moat.Filesystems.Devpts;
using Moat.Filesystems.Tmpfs;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Mount options as config.json and mount(8) write them, taken apart: flags, and what is the filesystem's own.</summary>
/// <param name="Flags">MS_*.</param>
/// <param name="Data">The filesystem's options, by name; an option without a value has an empty one.</param>
internal sealed record MountOptions(MountFlags Flags, IReadOnlyDictionary<string, string> Data)
{
    /// <summary>Takes options apart. What only concerns the host (propagation, recursion) is left out.</summary>
    public static MountOptions Parse(IReadOnlyList<string> options)
    {
        MountFlags flags = MountFlags.RelAtime;
        Dictionary<string, string> data = [];
        foreach (string option in options)
        {
            switch (option)
            {
                case "ro" or "rro": flags |= MountFlags.ReadOnly; break;
                case "rw" or "rrw": flags &= ~MountFlags.ReadOnly; break;
                case "nosuid" or "rnosuid": flags |= MountFlags.NoSuid; break;
                case "suid": flags &= ~MountFlags.NoSuid; break;
                case "nodev" or "rnodev": flags |= MountFlags.NoDev; break;
                case "dev": flags &= ~MountFlags.NoDev; break;
                case "noexec" or "rnoexec": flags |= MountFlags.NoExec; break;
                case "exec": flags &= ~MountFlags.NoExec; break;
                case "noatime": flags = (flags & ~MountFlags.RelAtime) | MountFlags.NoAtime; break;
                case "strictatime": flags &= ~MountFlags.RelAtime; break;
                case "nosymfollow": flags |= MountFlags.NoSymFollow; break;
                case "nodiratime": flags |= MountFlags.NoDirAtime; break;
                case "relatime": flags |= MountFlags.RelAtime; break;
                default:
                    int equals = option.IndexOf('=');
                    data[equals < 0 ? option : option[..equals]] = equals < 0 ? "" : option[(equals + 1)..];
                    break;
            }
        }

        return new MountOptions(flags, data);
    }

    /// <summary>Options of a tmpfs.</summary>
    /// <param name="memoryBytes">The sandbox's memory: what a percentage is of.</param>
    public TmpfsOptions ToTmpfs(ulong memoryBytes)
    {
        TmpfsOptions options = new();
        if (Data.TryGetValue("size", out string? size))
        {
            options = options with { SizeBytes = Size(size, memoryBytes) };
        }

        if (Data.TryGetValue("nr_inodes", out string? inodes) && Size(inodes, 0) is > 0 and var count)
        {
            options = options with { MaxInodes = (long)Math.Min(count, long.MaxValue) };
        }

        if (Data.TryGetValue("mode", out string? mode))
        {
            options = options with { RootMode = (Mode)Convert.ToUInt32(mode, 8) };
        }

        if (Data.TryGetValue("uid", out string? uid) && uint.TryParse(uid, CultureInfo.InvariantCulture, out uint owner))
        {
            options = options with { Uid = owner };
        }

        if (Data.TryGetValue("gid", out string? gid) && uint.TryParse(gid, CultureInfo.InvariantCulture, out uint group))
        {
            options = options with { Gid = group };
        }

        return options;
    }

    /// <summary>Options of a devpts.</summary>
    public DevptsOptions ToDevpts()
    {
        DevptsOptions options = new();
        return options with
        {
            SlaveMode = Data.TryGetValue("mode", out string? mode) ? (Mode)Convert.ToUInt32(mode, 8) & Mode.PermissionMask : options.SlaveMode,
            MasterMode = Data.TryGetValue("ptmxmode", out mode) ? (Mode)Convert.ToUInt32(mode, 8) & Mode.PermissionMask : options.MasterMode,
            Uid = Number("uid"),
            Gid = Number("gid"),
            Max = (int)Math.Min(Number("max") ?? DevptsFilesystem.MaxTerminals, DevptsFilesystem.MaxTerminals),
        };
    }

    private uint? Number(string name) => Data.TryGetValue(name, out string? text) && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;

    // 65536k, 1g, 50%; 0 is no limit (tmpfs(5)).
    private static ulong Size(string text, ulong whole)
    {
        ulong unit = text.Length == 0 ? 1 : char.ToLowerInvariant(text[^1]) switch { 'k' => 1UL << 10, 'm' => 1UL << 20, 'g' => 1UL << 30, '%' => whole / 100, _ => 1 };
        string digits = text.TrimEnd('k', 'K', 'm', 'M', 'g', 'G', '%');
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number > 0 ? number * Math.Max(1, unit) : ulong.MaxValue;
    }
}
