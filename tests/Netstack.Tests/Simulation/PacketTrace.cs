using System.Globalization;
using System.Text;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>The TCP segments on a wire, a line for each as it is sent, in the manner of tcpdump(1) and packetdrill: milliseconds since the first one, direction (<c>&gt;</c> from the left),
/// flags, sequence numbers relative to the SYN, acknowledgment, window as it stands in the header, options but for timestamps, and what became of it if it does not arrive.</summary>
internal sealed class PacketTrace
{
    private const int IpOffset = EthernetHeader.Length;

    private readonly StringBuilder _text = new();
    private readonly SequenceNumber?[] _initial = new SequenceNumber?[2];
    private SimulatedNetwork _network = null!;
    private SimulatedLink _left = null!;
    private long _startNs = -1;

    /// <summary>The lines so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Sees what passes between two ends.</summary>
    public void Watch(SimulatedNetwork network, SimulatedLink left, SimulatedLink right)
    {
        (_network, _left) = (network, left);
        left.Trace = this;
        right.Trace = this;
    }

    /// <summary>Forgets the lines, not the numbers.</summary>
    public void Clear() => _text.Clear();

    /// <summary>A remark.</summary>
    public void Say(string remark) => _text.Append("# ").Append(remark).Append('\n');

    /// <summary>A frame is sent.</summary>
    public void Add(SimulatedLink from, ReadOnlySpan<byte> frame, bool isLost)
    {
        if (!Ipv4Header.TryParse(frame[IpOffset..], out Ipv4Header ip) || ip.Protocol != IpProtocol.Tcp)
        {
            return;
        }

        ReadOnlySpan<byte> segment = frame[(IpOffset + ip.HeaderLength)..(IpOffset + ip.TotalLength)];
        Assert.True(TcpHeader.TryParse(segment, out TcpHeader header));
        int side = from == _left ? 0 : 1;
        bool isSyn = (header.Flags & TcpFlags.SYN) != 0;
        bool hasAck = (header.Flags & TcpFlags.ACK) != 0;
        _initial[side] = isSyn ? header.Sequence : _initial[side] ?? header.Sequence;
        _startNs = _startNs < 0 ? _network.NowNs : _startNs;
        int start = header.Sequence - _initial[side]!.Value;
        int length = segment.Length - header.HeaderLength;
        _text.Append(CultureInfo.InvariantCulture, $"{(_network.NowNs - _startNs) / 1e6,7:0.0} {(side == 0 ? '>' : '<')} {Flags(header.Flags)} {start}:{start + length}({length})");
        if (hasAck)
        {
            _text.Append(CultureInfo.InvariantCulture, $" ack {header.Acknowledgment - (_initial[1 - side] ?? default)}");
        }

        _text.Append(CultureInfo.InvariantCulture, $" win {header.Window}");
        _text.Append((header.Flags & TcpFlags.URG) != 0 ? $" urg {header.UrgentPointer}" : "");
        AddOptions(TcpOptions.Parse(segment[TcpHeader.MinLength..header.HeaderLength], isSyn), isSyn, side);
        _text.Append(isLost ? " lost\n" : "\n");
    }

    private static string Flags(TcpFlags flags)
    {
        string text = (flags.HasFlag(TcpFlags.SYN) ? "S" : "") + (flags.HasFlag(TcpFlags.FIN) ? "F" : "") + (flags.HasFlag(TcpFlags.RST) ? "R" : "")
            + (flags.HasFlag(TcpFlags.PSH) ? "P" : "") + (flags.HasFlag(TcpFlags.URG) ? "U" : "");
        return text + (flags.HasFlag(TcpFlags.ACK) ? "." : "");
    }

    private void AddOptions(in TcpOptions options, bool isSyn, int side)
    {
        List<string> parts = [];
        if (options.MaxSegmentSize != 0)
        {
            parts.Add($"mss {options.MaxSegmentSize}");
        }

        if (options.SackPermitted)
        {
            parts.Add("sackOK");
        }

        if (isSyn && options.HasTimestamps)
        {
            parts.Add("TS");
        }

        if (options.WindowScale is { } scale)
        {
            parts.Add($"wscale {scale}");
        }

        for (int i = 0; i < options.SackCount; i++)
        {
            SequenceNumber initial = _initial[1 - side]!.Value;
            parts.Add($"{(i == 0 ? "sack " : "")}{options.Sack(i).Left - initial}:{options.Sack(i).Right - initial}");
        }

        if (parts.Count > 0)
        {
            _text.Append(" <").AppendJoin(',', parts).Append('>');
        }
    }
}
