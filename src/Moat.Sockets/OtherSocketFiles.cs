using System.Globalization;
using System.Text;
using Moat.Netstack.Tcp;

namespace Moat.Sockets;

/// <summary>/proc/net's tables of the sockets that are not of the internet: unix, netlink, packet (proc(5)).</summary>
internal sealed class OtherSocketFiles(SocketNetwork network)
{
    private const string NoPointer = "0000000000000000";

    /// <summary>The tables.</summary>
    public static IReadOnlyList<string> Names { get; } = ["netlink", "packet", "unix"];

    /// <summary>Writes one of them.</summary>
    public void Write(string name, StringBuilder text)
    {
        AddressFamily family = name switch { "unix" => AddressFamily.AF_UNIX, "netlink" => AddressFamily.AF_NETLINK, _ => AddressFamily.AF_PACKET };
        text.Append(name switch
        {
            "unix" => "Num       RefCount Protocol Flags    Type St Inode Path\n",
            "netlink" => "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n",
            _ => "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n",
        });
        foreach (Socket socket in network.Registry.List<Socket>())
        {
            if (socket.Domain != family)
            {
                continue;
            }

            SocketDescription it = socket.Describe();
            switch (name)
            {
                case "unix":
                    WriteUnix(it, text);
                    break;
                case "netlink":
                    text.Append(CultureInfo.InvariantCulture, $"{NoPointer} {it.Protocol,-3} {it.Port,-10} {it.Groups:x8} {it.ReceiveQueue,-8} {0,-8} {0,-5} {2,-8} {it.Drops,-8} {it.Inode,-8}\n");
                    break;
                default:
                    text.Append(CultureInfo.InvariantCulture, $"{NoPointer} {3,-6} {(int)it.Type,-4} {it.Protocol:x4}   {it.InterfaceIndex,-5} 1 {it.ReceiveQueue,-6} {it.Owner,-6} {it.Inode,-6}\n");
                    break;
            }
        }
    }

    private static void WriteUnix(SocketDescription it, StringBuilder text)
    {
        const int AcceptsConnections = 0x10000; // __SO_ACCEPTCON
        const int Unconnected = 1; // SS_UNCONNECTED
        const int Connected = 3; // SS_CONNECTED
        bool isListening = it.State == (int)TcpState.Listen;
        int state = it.State == (int)TcpState.Established ? Connected : Unconnected;
        text.Append(CultureInfo.InvariantCulture, $"{NoPointer}: {2:X8} {0:X8} {(isListening ? AcceptsConnections : 0):X8} {(int)it.Type:X4} {state:X2} {it.Inode,5}");
        if (it.Name is { } name)
        {
            text.Append(' ');
            foreach (byte letter in name)
            {
                text.Append(letter == 0 ? '@' : (char)letter); // an abstract name begins with a zero byte
            }
        }

        text.Append('\n');
    }
}
