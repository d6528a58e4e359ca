using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Keeps the host's own stack in a network namespace from what is meant for the sandbox there: a netfilter table that drops everything that comes in, except on loopback and
/// the answers of name servers (to a resolver of an engine, which asks from the container's address), and the complaints about answers that are the sandbox's. Addresses and routes stay
/// where engines look for them.</summary>
/// <remarks>The table belongs to the socket that made it (NFT_TABLE_F_OWNER): it goes when the socket's last descriptor is closed, and nobody can make a second one until then.</remarks>
public static class StackGuard
{
    private const string Name = "moat";
    private const ushort Subsystem = 10 << 8; // NFNL_SUBSYS_NFTABLES
    private const byte FamilyInet = 1; // NFPROTO_INET: IPv4 and IPv6
    private const ushort Acknowledge = 4; // NLM_F_ACK
    private const ushort Create = 0x400; // NLM_F_CREATE
    private const ushort Exclusive = 0x200; // NLM_F_EXCL
    private const ushort Append = 0x800; // NLM_F_APPEND
    private const uint Register = 1; // NFT_REG_1
    private const string Input = "input";
    private const string Output = "output";
    private const uint Prerouting = 0; // NF_INET_PRE_ROUTING
    private const uint LocalOut = 3; // NF_INET_LOCAL_OUT
    private const uint Drop = 0; // NF_DROP
    private const uint Accept = 1; // NF_ACCEPT

    private static readonly byte[] s_loopback = [1, 0, 0, 0]; // the first interface in every namespace

    /// <summary>Sets it up in the calling thread's network namespace.</summary>
    /// <returns>The socket; EPERM or EEXIST if another sandbox has done so, another error if the host's kernel cannot.</returns>
    public static Result<int> Open()
    {
        if (!NetlinkSocket.OpenNetfilter().TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        NetlinkMessages messages = new();
        messages.Begin(0x10, 0, [0, 0, 0, 10]); // NFNL_MSG_BATCH_BEGIN, for the subsystem
        AddTable(messages);

        // Before connection tracking, which would cost time for every packet.
        AddChain(messages, Input, Prerouting, Drop);
        AddRule(messages, Input, Accept, static messages => Match(messages, MetaKey.InputInterface, s_loopback));
        AddRule(messages, Input, Accept, static messages =>
        {
            Match(messages, MetaKey.Family, [2]); // NFPROTO_IPV4
            Match(messages, MetaKey.Protocol, [17]); // UDP
            LoadSourcePort(messages);
            Compare(messages, [0, 53]);
        });
        AddChain(messages, Output, LocalOut, Accept);
        AddRule(messages, Output, Accept, static messages => Match(messages, MetaKey.OutputInterface, s_loopback));
        AddRule(messages, Output, Drop, static messages => Match(messages, MetaKey.Protocol, [1])); // ICMP
        uint last = messages.LastSequence;
        messages.Begin(0x11, 0, [0, 0, 0, 10]); // NFNL_MSG_BATCH_END
        errno = NetlinkSocket.Call(fd, messages, last);
        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }

    private static void AddTable(NetlinkMessages messages)
    {
        const ushort NewTable = Subsystem | 0;
        const uint Owner = 2; // NFT_TABLE_F_OWNER
        messages.Begin(NewTable, Acknowledge | Create | Exclusive, [FamilyInet, 0, 0, 0]);
        messages.Put(1, Name); // NFTA_TABLE_NAME
        messages.PutBigEndian(2, Owner); // NFTA_TABLE_FLAGS
    }

    private static void AddChain(NetlinkMessages messages, string chain, uint hookNumber, uint policy)
    {
        const ushort NewChain = Subsystem | 3;
        const int Priority = -350;
        messages.Begin(NewChain, Acknowledge | Create, [FamilyInet, 0, 0, 0]);
        messages.Put(1, Name); // NFTA_CHAIN_TABLE
        messages.Put(3, chain); // NFTA_CHAIN_NAME
        int hook = messages.BeginNest(4); // NFTA_CHAIN_HOOK
        messages.PutBigEndian(1, hookNumber); // NFTA_HOOK_HOOKNUM
        messages.PutBigEndian(2, unchecked((uint)Priority)); // NFTA_HOOK_PRIORITY
        messages.EndNest(hook);
        messages.PutBigEndian(5, policy); // NFTA_CHAIN_POLICY
        messages.Put(7, "filter"); // NFTA_CHAIN_TYPE
    }

    private static void AddRule(NetlinkMessages messages, string chain, uint verdict, Action<NetlinkMessages> match)
    {
        const ushort NewRule = Subsystem | 6;
        messages.Begin(NewRule, Acknowledge | Create | Append, [FamilyInet, 0, 0, 0]);
        messages.Put(1, Name); // NFTA_RULE_TABLE
        messages.Put(2, chain); // NFTA_RULE_CHAIN
        int expressions = messages.BeginNest(4); // NFTA_RULE_EXPRESSIONS
        match(messages);
        Express(messages, "immediate", messages =>
        {
            messages.PutBigEndian(1, 0); // NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
            int data = messages.BeginNest(2); // NFTA_IMMEDIATE_DATA
            int decision = messages.BeginNest(2); // NFTA_DATA_VERDICT
            messages.PutBigEndian(1, verdict); // NFTA_VERDICT_CODE
            messages.EndNest(decision);
            messages.EndNest(data);
        });
        messages.EndNest(expressions);
    }

    private static void Match(NetlinkMessages messages, MetaKey key, byte[] value)
    {
        Express(messages, "meta", messages =>
        {
            messages.PutBigEndian(1, Register); // NFTA_META_DREG
            messages.PutBigEndian(2, (uint)key); // NFTA_META_KEY
        });
        Compare(messages, value);
    }

    private static void LoadSourcePort(NetlinkMessages messages) => Express(messages, "payload", static messages =>
    {
        messages.PutBigEndian(1, Register); // NFTA_PAYLOAD_DREG
        messages.PutBigEndian(2, 2); // NFTA_PAYLOAD_BASE: NFT_PAYLOAD_TRANSPORT_HEADER
        messages.PutBigEndian(3, 0); // NFTA_PAYLOAD_OFFSET
        messages.PutBigEndian(4, sizeof(ushort)); // NFTA_PAYLOAD_LEN
    });

    private static void Compare(NetlinkMessages messages, byte[] value) => Express(messages, "cmp", messages =>
    {
        messages.PutBigEndian(1, Register); // NFTA_CMP_SREG
        messages.PutBigEndian(2, 0); // NFTA_CMP_OP: NFT_CMP_EQ
        int data = messages.BeginNest(3); // NFTA_CMP_DATA
        messages.Put(1, value); // NFTA_DATA_VALUE
        messages.EndNest(data);
    });

    private static void Express(NetlinkMessages messages, string name, Action<NetlinkMessages> write)
    {
        int element = messages.BeginNest(1); // NFTA_LIST_ELEM
        messages.Put(1, name); // NFTA_EXPR_NAME
        int data = messages.BeginNest(2); // NFTA_EXPR_DATA
        write(messages);
        messages.EndNest(data);
        messages.EndNest(element);
    }

    // NFT_META_*.
    private enum MetaKey : uint
    {
        InputInterface = 4,
        OutputInterface = 5,
        Family = 15,
        Protocol = 16,
    }
}
