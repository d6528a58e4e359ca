using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>A socket's claim on a local port.</summary>
/// <param name="Local">The address, perhaps any, and the port.</param>
/// <param name="InterfaceIndex">SO_BINDTODEVICE, or 0.</param>
/// <param name="IsV6Only">Whether :: leaves the port to IPv4.</param>
public sealed record PortBinding(IpEndpoint Local, int InterfaceIndex, bool IsV6Only)
{
    /// <summary>SO_REUSEADDR: shares with others that say so, but not with a listener.</summary>
    public bool ReusesAddress { get; set; }

    /// <summary>SO_REUSEPORT: shares with others that say so and have the same owner.</summary>
    public bool ReusesPort { get; init; }

    /// <summary>Who made the socket.</summary>
    public uint Owner { get; init; }

    /// <summary>Whether it listens: then ReusesAddress is not enough to share.</summary>
    public bool IsListening { get; set; }

    /// <summary>Whether connect(2) chose the port: it is kept for no TIME_WAIT, since others may connect elsewhere from it.</summary>
    public bool IsChosen { get; init; }

    /// <summary>How many hold it: the socket, and connections that a listener has made. Guarded by the allocator's lock.</summary>
    internal int Holders { get; set; } = 1;

    /// <summary>Whether both want packets to one address.</summary>
    internal bool Overlaps(PortBinding other)
    {
        if (InterfaceIndex != 0 && other.InterfaceIndex != 0 && InterfaceIndex != other.InterfaceIndex)
        {
            return false;
        }

        IpAddress left = Local.Address;
        IpAddress right = other.Local.Address;
        if (left.IsV4 == right.IsV4)
        {
            return left.IsAny || right.IsAny || left == right;
        }

        PortBinding v6 = left.IsV4 ? other : this;
        return v6.Local.Address.IsAny && !v6.IsV6Only;
    }

    /// <summary>Whether both may have the port all the same.</summary>
    internal bool MayShare(PortBinding other) =>
        (ReusesPort && other.ReusesPort && Owner == other.Owner) || (ReusesAddress && other.ReusesAddress && !IsListening && !other.IsListening);
}
