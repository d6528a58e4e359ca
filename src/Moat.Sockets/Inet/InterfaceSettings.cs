using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;

namespace Moat.Sockets.Inet;

/// <summary>The settings below net.ipv4.conf and net.ipv6.conf, which interfaces have of their own; <c>all</c> and <c>default</c> stand for every one and for later ones. A packet is passed on or not for a whole network here:
/// an interface's <c>forwarding</c> shows that.</summary>
internal sealed class InterfaceSettings(NetworkStack stack)
{
    private const string All = "all";
    private const string Default = "default";
    private const string Disable = "disable_ipv6";
    private const string Forwarding = "forwarding";
    private const string V4 = "ipv4/conf/";
    private const string V6 = "ipv6/conf/";

    /// <summary>The paths of all of them.</summary>
    public IEnumerable<string> Paths
    {
        get
        {
            List<string> owners = [All, Default];
            foreach (NetworkInterface link in stack.Interfaces)
            {
                owners.Add(link.Name);
            }

            foreach (string owner in owners)
            {
                yield return V4 + owner + "/" + Forwarding;
                yield return V6 + owner + "/" + Forwarding;
                yield return V6 + owner + "/" + Disable;
            }
        }
    }

    /// <summary>Whether a path is that of one of them, be there such an interface or not.</summary>
    public static bool Owns(string path) => path.StartsWith(V4, StringComparison.Ordinal) || path.StartsWith(V6, StringComparison.Ordinal);

    /// <summary>Whether one can be changed.</summary>
    public static bool IsWritable(string path)
    {
        string[] parts = path.Split('/');
        return parts[^1] == Disable || parts[^2] == All;
    }

    /// <summary>The value of one; null if there is no such interface.</summary>
    public string? Read(string path)
    {
        string[] parts = path.Split('/');
        if (!TryFind(parts[^2], out NetworkInterface? link))
        {
            return null;
        }

        bool value = parts[^1] == Disable ? link?.DisablesV6 ?? stack.DisablesV6ByDefault : parts[0] == "ipv4" ? stack.ForwardsV4 : stack.ForwardsV6;
        return value ? "1" : "0";
    }

    /// <summary>Changes one that is writable.</summary>
    /// <returns>ENOENT if there is no such interface.</returns>
    public Errno Write(string path, bool value)
    {
        string[] parts = path.Split('/');
        if (!TryFind(parts[^2], out NetworkInterface? link))
        {
            return Errno.ENOENT;
        }

        if (parts[^1] == Forwarding)
        {
            (stack.ForwardsV4, stack.ForwardsV6) = parts[0] == "ipv4" ? (value, stack.ForwardsV6) : (stack.ForwardsV4, value);
            return Errno.None;
        }

        if (link is not null)
        {
            stack.DisableV6(link, value);
            return Errno.None;
        }

        stack.DisablesV6ByDefault = value;
        foreach (NetworkInterface each in parts[^2] == All ? stack.Interfaces : [])
        {
            stack.DisableV6(each, value);
        }

        return Errno.None;
    }

    // Null stands for all and default.
    private bool TryFind(string name, out NetworkInterface? link)
    {
        link = name is All or Default ? null : stack.FindInterface(name);
        return link is not null || name is All or Default;
    }
}
