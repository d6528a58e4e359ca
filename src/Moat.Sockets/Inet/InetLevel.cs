namespace Moat.Sockets.Inet;

/// <summary>Levels of getsockopt(2) and setsockopt(2) for internet sockets.</summary>
internal static class InetLevel
{
    public const int IPPROTO_IP = 0;
    public const int IPPROTO_TCP = 6;
    public const int IPPROTO_UDP = 17;
    public const int IPPROTO_IPV6 = 41;
    public const int IPPROTO_UDPLITE = 136;
}
