namespace Moat.Netstack.Interfaces;

/// <summary>IFA_F_* (linux/if_addr.h), as far as the stack itself means something by them.</summary>
public static class AddressFlags
{
    /// <summary>IFA_F_NODAD: taken without asking.</summary>
    public const uint NoDetection = 0x02;

    /// <summary>IFA_F_DADFAILED: somebody else has it.</summary>
    public const uint Failed = 0x08;

    /// <summary>IFA_F_DEPRECATED: not for new connections.</summary>
    public const uint Deprecated = 0x20;

    /// <summary>IFA_F_TENTATIVE: not used yet.</summary>
    public const uint Tentative = 0x40;

    /// <summary>IFA_F_PERMANENT: has no lifetime.</summary>
    public const uint Permanent = 0x80;

    /// <summary>Not the interface's own yet, or never.</summary>
    public const uint Unusable = Failed | Tentative;
}
