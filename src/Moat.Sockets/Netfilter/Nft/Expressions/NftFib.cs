using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>fib</c>: asks the routing table about one of the packet's addresses.</summary>
internal sealed class NftFib : NftExpression
{
    private const ushort NFTA_FIB_DREG = 1;
    private const ushort NFTA_FIB_RESULT = 2;
    private const ushort NFTA_FIB_FLAGS = 3;
    private const uint OfSource = 1;
    private const uint OfDestination = 2;
    private const uint OfInput = 8;
    private const uint OfOutput = 16;
    private const uint Presence = 32;
    private const uint Output = 1;
    private const uint OutputName = 2;
    private const uint AddressKind = 3;
    private const int NameLength = 16;

    private readonly int _register;
    private readonly uint _result;
    private readonly uint _flags;

    private NftFib(int register, uint result, uint flags) => (_register, _result, _flags) = (register, result, flags);

    /// <inheritdoc/>
    public override string Name => "fib";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_FIB_RESULT, out uint? result);
        uint? flags = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_FIB_FLAGS, out flags);
        if (errno != Errno.None || result is null || flags is null or 0 || flags > 0x3f)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        bool isOfOne = (flags & (OfSource | OfDestination)) is OfSource or OfDestination;
        bool isOfBothSides = (flags & (OfInput | OfOutput)) == (OfInput | OfOutput);
        bool isAllowed = result switch
        {
            Output or OutputName => (flags & OfOutput) == 0,
            AddressKind => (flags & Presence) == 0,
            _ => false,
        };
        if (!isOfOne || isOfBothSides || !isAllowed)
        {
            return Errno.EINVAL;
        }

        int length = result == OutputName && (flags & Presence) == 0 ? NameLength : sizeof(uint);
        return NftRegister.Read(attributes, NFTA_FIB_DREG, length).TryGet(out int register, out errno) ? new NftFib(register, result.Value, flags.Value) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        IpAddress address = (_flags & OfSource) != 0 ? packet.Source : packet.Destination;
        int link = (_flags & OfInput) != 0 ? packet.Input?.Index ?? 0 : (_flags & OfOutput) != 0 ? packet.Output?.Index ?? 0 : 0;
        if (_result == AddressKind)
        {
            NftRegister.Store(ref packet.Registers, _register, AddressKinds.Of(packet.Stack, address, link));
            return FilterStep.Continue;
        }

        Route? route = packet.Stack.Routes.Find(address, link);
        if ((_flags & Presence) != 0)
        {
            NftRegister.Store(ref packet.Registers, _register, route is null ? 0u : 1);
            return FilterStep.Continue;
        }

        NetworkInterface? exit = route is { Kind: not (RouteKind.Blackhole or RouteKind.Prohibit or RouteKind.Unreachable) } ? packet.Stack.FindInterface(route.InterfaceIndex) : null;
        if (_result == Output)
        {
            NftRegister.Store(ref packet.Registers, _register, (uint)(exit?.Index ?? 0));
            return FilterStep.Continue;
        }

        Span<byte> name = packet.Registers.Bytes(_register, NameLength);
        name.Clear();
        _ = System.Text.Encoding.Latin1.GetBytes(exit?.Name ?? "", name);
        return FilterStep.Continue;
    }

    /// <inheritdoc/>
    public override Errno Validate(NftHook hook)
    {
        bool isAllowed = _result == AddressKind
            ? (_flags & OfInput) != 0 ? hook.Hook is FilterHook.Prerouting or FilterHook.Input or FilterHook.Forward
                : (_flags & OfOutput) == 0 || hook.Hook is FilterHook.Output or FilterHook.Postrouting or FilterHook.Forward
            : hook.Hook is FilterHook.Prerouting or FilterHook.Input or FilterHook.Forward;
        return isAllowed ? Errno.None : Errno.EOPNOTSUPP;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_FIB_DREG, _register);
        writer.PutBig(NFTA_FIB_RESULT, _result);
        writer.PutBig(NFTA_FIB_FLAGS, _flags);
    }
}
