using Moat.Linux;

namespace Moat.Kernel;

/// <summary>The settings of a network below /proc/sys/net (ip-sysctl.rst), or of its interfaces below /sys/class/net (sysfs-class-net). Any thread.</summary>
public interface INetworkSettings
{
    /// <summary>Their paths, such as <c>core/somaxconn</c>.</summary>
    IReadOnlyList<string> Paths { get; }

    /// <summary>Whether one can be changed.</summary>
    bool IsWritable(string path);

    /// <summary>The value of one of them; null if there is none (any more).</summary>
    string? Read(string path);

    /// <summary>Changes one that is writable.</summary>
    /// <returns>EINVAL; ENOENT if there is none (any more).</returns>
    Errno Write(string path, string value);
}
