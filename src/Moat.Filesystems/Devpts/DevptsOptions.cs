using Moat.Linux;

namespace Moat.Filesystems.Devpts;

/// <summary>Mount options of devpts.</summary>
public sealed record DevptsOptions
{
    /// <summary>Permissions of a new terminal.</summary>
    public Mode SlaveMode { get; init; } = (Mode)0x180; // 0600

    /// <summary>Permissions of ptmx in it.</summary>
    public Mode MasterMode { get; init; }

    /// <summary>Who owns a new terminal; null for whoever makes it.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group of a new terminal; null for that of whoever makes it.</summary>
    public uint? Gid { get; init; }

    /// <summary>How many terminals there may be.</summary>
    public int Max { get; init; } = DevptsFilesystem.MaxTerminals;
}
