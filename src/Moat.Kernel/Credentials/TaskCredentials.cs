namespace Moat.Kernel.Credentials;

/// <summary>Who a task is (credentials(7)): immutable; a change makes a new one and swaps it in, so that readers see one or the other.
/// Ids are numbers of the initial user namespace.</summary>
public sealed record TaskCredentials
{
    public required uint RealUid { get; init; }
    public required uint EffectiveUid { get; init; }
    public required uint SavedUid { get; init; }
    public required uint FilesystemUid { get; init; }
    public required uint RealGid { get; init; }
    public required uint EffectiveGid { get; init; }
    public required uint SavedGid { get; init; }
    public required uint FilesystemGid { get; init; }

    /// <summary>Supplementary groups, sorted.</summary>
    public required IReadOnlyList<uint> Groups { get; init; }

    public CapabilitySet Effective { get; init; }
    public CapabilitySet Permitted { get; init; }
    public CapabilitySet Inheritable { get; init; }
    public CapabilitySet Bounding { get; init; }
    public CapabilitySet Ambient { get; init; }

    /// <summary>SECBIT_* of prctl(PR_SET_SECUREBITS).</summary>
    public uint SecureBits { get; init; }

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>The user namespace whose capabilities these are.</summary>
    public required UserNamespace UserNamespace { get; init; }

    /// <summary>Whether a capability is effective in the task's own user namespace.</summary>
    public bool HasCapability(Capability capability) => Effective.Contains(capability);

    /// <summary>Whether the task is in a group, as file access asks.</summary>
    public bool IsInGroup(uint gid)
    {
        if (gid == FilesystemGid)
        {
            return true;
        }

        for (int i = 0; i < Groups.Count; i++)
        {
            if (Groups[i] == gid)
            {
                return true;
            }
        }

        return false;
    }
}
