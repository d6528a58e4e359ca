using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>What fragments of one packet have in common (RFC 791 section 3.2, RFC 8200 section 4.5).</summary>
internal readonly record struct FragmentKey(IpAddress Source, IpAddress Destination, uint Identification, IpProtocol Protocol, int InterfaceIndex);
