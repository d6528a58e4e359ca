using System.Buffers.Binary;
using Moat.Linux;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>The options of the level SOL_NETLINK (netlink(7)).</summary>
internal sealed class NetlinkOptions
{
    /// <summary>SOL_NETLINK.</summary>
    public const int Level = 270;

    private const int AddMembership = 1;
    private const int DropMembership = 2;
    private const int BroadcastError = 4;
    private const int NoOverrunError = 5;
    private const int ListMemberships = 9;
    private const int CapAcknowledgement = 10;
    private const int ExtendedAcknowledgement = 11;
    private const int StrictCheck = 12;

    private bool _tellsBroadcastErrors;

    /// <summary>NETLINK_NO_ENOBUFS: a lost message is no error.</summary>
    public bool IgnoresOverrun { get; private set; }

    /// <summary>NETLINK_CAP_ACK: an error does not repeat the request's payload.</summary>
    public bool CapsAcknowledgement { get; private set; }

    /// <summary>NETLINK_EXT_ACK: an error says what was wrong, as far as that is known.</summary>
    public bool ExtendsAcknowledgement { get; private set; }

    /// <summary>NETLINK_GET_STRICT_CHK: the header and attributes of a dump request choose what is told.</summary>
    public bool IsStrict { get; private set; }

    /// <summary>setsockopt(2).</summary>
    /// <returns>EINVAL, ENOPROTOOPT.</returns>
    public Errno Set(NetlinkMembership groups, int option, ReadOnlySpan<byte> value)
    {
        int number = value.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(value) : 0; // what is too short counts as 0
        switch (option)
        {
            case AddMembership or DropMembership:
                if (!groups.Exists((uint)number))
                {
                    return Errno.EINVAL;
                }

                groups.Set(number, option == AddMembership);
                return Errno.None;
            case BroadcastError:
                _tellsBroadcastErrors = number != 0;
                return Errno.None;
            case NoOverrunError:
                IgnoresOverrun = number != 0;
                return Errno.None;
            case CapAcknowledgement:
                CapsAcknowledgement = number != 0;
                return Errno.None;
            case ExtendedAcknowledgement:
                ExtendsAcknowledgement = number != 0;
                return Errno.None;
            case StrictCheck:
                IsStrict = number != 0;
                return Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    /// <summary>getsockopt(2).</summary>
    /// <returns>How many bytes were written; EINVAL, ENOPROTOOPT.</returns>
    public Result<int> Get(NetlinkMembership groups, int option, Span<byte> value)
    {
        if (option == ListMemberships)
        {
            return Math.Min(groups.WriteTo(value), value.Length);
        }

        bool? flag = option switch
        {
            BroadcastError => _tellsBroadcastErrors,
            NoOverrunError => IgnoresOverrun,
            CapAcknowledgement => CapsAcknowledgement,
            ExtendedAcknowledgement => ExtendsAcknowledgement,
            StrictCheck => IsStrict,
            _ => null,
        };
        return flag is not { } isSet ? Errno.ENOPROTOOPT : value.Length < sizeof(int) ? Errno.EINVAL : OptionValue.WriteInt(isSet ? 1 : 0, value);
    }
}
