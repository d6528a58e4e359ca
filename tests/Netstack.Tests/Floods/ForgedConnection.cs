using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>A connection of the attacker's, who sends what no stack would.</summary>
internal sealed class ForgedConnection
{
    private readonly Attack _attack;
    private readonly IpEndpoint _source;
    private readonly ushort _port;
    private readonly SequenceNumber _initial;

    private ForgedConnection(Attack attack, IpEndpoint source, ushort port) => (_attack, _source, _port, _initial) = (attack, source, port, new SequenceNumber(1000));

    /// <summary>Connects: sends SYN, and ACK for the answer.</summary>
    /// <returns>Null if there is no answer.</returns>
    public static ForgedConnection? Open(Attack attack, IpEndpoint source, ushort port)
    {
        ForgedConnection connection = new(attack, source, port);
        connection.Send(TcpFlags.SYN, 0, 0);
        if (!attack.TryFindSent(source, out _))
        {
            return null;
        }

        connection.Send(TcpFlags.ACK, 1, 0);
        return connection;
    }

    /// <summary>Sends a segment.</summary>
    /// <param name="flags">Its flags.</param>
    /// <param name="offset">Its sequence number, from that of the SYN.</param>
    /// <param name="length">Bytes of data.</param>
    /// <param name="window">The window that it offers.</param>
    public void Send(TcpFlags flags, int offset, int length, int window = ushort.MaxValue)
    {
        _ = _attack.TryFindSent(_source, out SequenceNumber end);
        _attack.Deliver(_attack.Segment(_source, _port, flags, _initial + offset, end, window, length));
        _attack.Stack.Flush();
    }
}
