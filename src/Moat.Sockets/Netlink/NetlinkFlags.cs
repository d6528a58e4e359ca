namespace Moat.Sockets.Netlink;

/// <summary>Flags of a netlink message (netlink(7), <c>linux/netlink.h</c>).</summary>
[Flags]
public enum NetlinkFlags : ushort
{
    None = 0,
    NLM_F_REQUEST = 0x1,
    NLM_F_MULTI = 0x2,
    NLM_F_ACK = 0x4,
    NLM_F_ECHO = 0x8,

    /// <summary>Of a request that reads: NLM_F_ROOT and NLM_F_MATCH; either of them asks for all.</summary>
    NLM_F_DUMP = 0x300,

    /// <summary>Of a request that makes: change what is there.</summary>
    NLM_F_REPLACE = 0x100,

    /// <summary>Of a request that makes: fail if it is there.</summary>
    NLM_F_EXCL = 0x200,

    /// <summary>Of a request that makes: make it if it is not there.</summary>
    NLM_F_CREATE = 0x400,

    /// <summary>Of a request that makes: behind what is there.</summary>
    NLM_F_APPEND = 0x800,

    /// <summary>Of a request that deletes: not what is in it.</summary>
    NLM_F_NONREC = 0x100,


    /// <summary>Of an answer: the request is not repeated in it.</summary>
    NLM_F_CAPPED = 0x100,

    /// <summary>Of an answer: attributes follow.</summary>
    NLM_F_ACK_TLVS = 0x200,
}
