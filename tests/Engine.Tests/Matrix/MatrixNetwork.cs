using System.Diagnostics;
using Moat.Engine.Tests.Oci;

namespace Moat.Engine.Tests.Matrix;

/// <summary>Two hosts and the wire between them, each in a network namespace: eth0 leads through the program <c>matrix wire</c>, eth1 to where it is asked.</summary>
public sealed class MatrixNetwork : IDisposable
{
    private const string Wire = "198.18.0.1";

    private readonly NetworkSpace _left = new();
    private readonly NetworkSpace _middle = new();
    private readonly NetworkSpace _right = new();
    private readonly Process _wire;

    /// <summary>Makes it.</summary>
    /// <param name="program">The program of the matrix.</param>
    /// <param name="rightIsTaken">Whether a sandbox takes the right host, so that Linux is silent there.</param>
    public MatrixNetwork(string program, bool rightIsTaken)
    {
        _middle.Must($"""
            ip link set lo up
            echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
            ip link add left type veth peer name eth0 netns {_left.Id}
            ip link add right type veth peer name eth0 netns {_right.Id}
            ip link add control type bridge
            ip link add control0 type veth peer name eth1 netns {_left.Id}
            ip link add control1 type veth peer name eth1 netns {_right.Id}
            ip link set control0 master control && ip link set control1 master control
            ip addr add {Wire}/24 dev control
            for link in left right control0 control1 control; do ip link set $link up; done
            """);
        SetUp(_left, 1);
        if (rightIsTaken)
        {
            _right.Must("echo 8 > /proc/sys/net/ipv4/conf/all/arp_ignore");
        }

        SetUp(_right, 2);
        IReadOnlyList<string> prefix = _middle.Prefix;
        _wire = Process.Start(new ProcessStartInfo(prefix[0], [.. prefix.Skip(1), program, "wire", "left", "right", Wire]) { RedirectStandardOutput = true })!;
        Assert.Equal("ready", _wire.StandardOutput.ReadLine());
    }

    /// <summary>Where a command runs on the left host.</summary>
    public IReadOnlyList<string> OnLeft => _left.Prefix;

    /// <summary>Where a command runs on the right host, unless a sandbox has taken it.</summary>
    public IReadOnlyList<string> OnRight => _right.Prefix;

    /// <summary>The right host, for config.json.</summary>
    public string RightPath => _right.Path;

    /// <summary>The arguments of one end.</summary>
    /// <param name="isActive">Whether it is the active one.</param>
    /// <param name="family">4 or 6.</param>
    /// <param name="isRight">Which host.</param>
    /// <param name="round">No two rounds on one network have the same.</param>
    public static IReadOnlyList<string> EndArguments(bool isActive, int family, bool isRight, int round)
    {
        (int own, int peer) = isRight ? (2, 1) : (1, 2);
        return ["end", isActive ? "active" : "passive", $"{family}", isRight ? "1" : "0", Wire, Prefix(family), $"{own}", $"{peer}", $"{round}"];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _wire.Kill();
        _wire.WaitForExit();
        _wire.Dispose();
        _left.Dispose();
        _middle.Dispose();
        _right.Dispose();
    }

    private static string Prefix(int family) => family == 4 ? "198.51.100." : "2001:db8::";

    // Segments are cut before the link on one side, so that the wire sees each, and by the wire's host on the other.
    private static void SetUp(NetworkSpace space, int host)
    {
        string add = string.Concat(from own in new[] { host, 10 + host, 20 + host }
                                   select $"ip addr add {Prefix(4)}{own}/24 brd + dev eth0\nip addr add {Prefix(6)}{own}/64 dev eth0 nodad\n");
        space.Must($"""
            ip link set lo up
            {add}
            ip addr add 198.18.0.{10 + host}/24 dev eth1
            ip link set eth0 gso_max_segs 1 up
            ip link set eth1 up
            """);
    }
}
