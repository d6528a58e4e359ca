using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Syscalls.Sockets;

/// <summary>The rarer options of SOL_SOCKET that are on or off, or a small number (socket(7)).</summary>
internal static class SocketFlagOptions
{
    private const int Debug = 1;
    private const int DontRoute = 5;
    private const int OutOfBandInline = 10;
    private const int NoCheck = 11;
    private const int ReceiveLowWater = 18;
    private const int SendLowWater = 19;
    private const int Compatible = 14; // SO_BSDCOMPAT: nothing in any Linux since 2.2
    private const int PeekOffset = 42;
    private const int BusyPoll = 46;
    private const int IncomingNapiId = 56;
    private const int PreferBusyPoll = 69;
    private const int BusyPollBudget = 70;

    /// <summary>getsockopt(2); null if there is no such option.</summary>
    public static int? Get(SocketOptions options, int option) => option switch
    {
        Debug => options.Debug ? 1 : 0,
        DontRoute => options.DontRoute ? 1 : 0,
        OutOfBandInline => options.OutOfBandInline ? 1 : 0,
        NoCheck => options.NoChecksum ? 1 : 0,
        ReceiveLowWater => options.ReceiveLowWater,
        SendLowWater => 1,
        Compatible => 0,
        BusyPoll => options.BusyPollMicroseconds,
        PreferBusyPoll => options.PrefersBusyPoll ? 1 : 0,
        IncomingNapiId => 0, // as on any interface that has no hardware queue
        _ => null,
    };

    /// <summary>setsockopt(2).</summary>
    /// <returns>ENOPROTOOPT if there is no such option that can be set; EACCES.</returns>
    public static Errno Set(GuestTask task, SocketOptions options, int option, int value)
    {
        switch (option)
        {
            case Debug when value != 0 && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN):
                return Errno.EACCES;
            case Debug:
                options.Debug = value != 0;
                return Errno.None;
            case DontRoute:
                options.DontRoute = value != 0;
                return Errno.None;
            case OutOfBandInline:
                options.OutOfBandInline = value != 0;
                return Errno.None;
            case NoCheck:
                options.NoChecksum = value != 0;
                return Errno.None;
            case Compatible:
                return Errno.None;
            case BusyPoll or BusyPollBudget when value < 0 || (option == BusyPollBudget && value > ushort.MaxValue):
                return Errno.EINVAL;
            case BusyPoll when value > options.BusyPollMicroseconds && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN):
                return Errno.EPERM;
            case PreferBusyPoll or BusyPollBudget when value != 0 && !task.Credentials.HasCapability(Capability.CAP_NET_ADMIN):
                return Errno.EPERM;
            case BusyPoll:
                options.BusyPollMicroseconds = value;
                return Errno.None;
            case PreferBusyPoll:
                options.PrefersBusyPoll = value != 0;
                return Errno.None;
            case BusyPollBudget:
                return Errno.None; // how much a poll of a queue takes at most; it cannot be asked for
            case PeekOffset:
                return Errno.EOPNOTSUPP;
            case ReceiveLowWater:
                options.ReceiveLowWater = value < 0 ? int.MaxValue : Math.Max(value, 1);
                return Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }
}
