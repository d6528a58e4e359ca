using System.Globalization;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Autoconfiguration;
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

    private static readonly string[] s_autoconfiguration = ["accept_ra", "autoconf", "accept_dad", "dad_transmits"];

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
                foreach (string name in s_autoconfiguration)
                {
                    yield return V6 + owner + "/" + name;
                }
            }
        }
    }

    /// <summary>Whether a path is that of one of them, be there such an interface or not.</summary>
    public static bool Owns(string path) => path.StartsWith(V4, StringComparison.Ordinal) || path.StartsWith(V6, StringComparison.Ordinal);

    /// <summary>Whether one can be changed.</summary>
    public static bool IsWritable(string path)
    {
        string[] parts = path.Split('/');
        return parts[^1] != Forwarding || parts[^2] == All;
    }

    /// <summary>The value of one; null if there is no such interface.</summary>
    public string? Read(string path)
    {
        string[] parts = path.Split('/');
        if (!TryFind(parts[^2], out NetworkInterface? link))
        {
            return null;
        }

        if (s_autoconfiguration.Contains(parts[^1]))
        {
            return ValueOf(link?.Autoconfiguration ?? stack.Autoconfiguration, parts[^1]).ToString(CultureInfo.InvariantCulture);
        }

        bool value = parts[^1] == Disable ? link?.DisablesV6 ?? stack.DisablesV6ByDefault : parts[0] == "ipv4" ? stack.ForwardsV4 : stack.ForwardsV6;
        return value ? "1" : "0";
    }

    /// <summary>Changes one that is writable.</summary>
    /// <returns>ENOENT if there is no such interface.</returns>
    public Errno Write(string path, int number)
    {
        string[] parts = path.Split('/');
        if (!TryFind(parts[^2], out NetworkInterface? link))
        {
            return Errno.ENOENT;
        }

        if (s_autoconfiguration.Contains(parts[^1]))
        {
            return WriteAutoconfiguration(link, parts[^2] == All, parts[^1], number);
        }

        bool value = number != 0;
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

    private Errno WriteAutoconfiguration(NetworkInterface? link, bool isAll, string name, int number)
    {
        const int MaxTransmits = 16; // more than anybody waits for
        int most = name switch { "autoconf" => 1, "dad_transmits" => MaxTransmits, _ => 2 };
        if (number > most)
        {
            return Errno.EINVAL;
        }

        if (link is null)
        {
            ValueOf(stack.Autoconfiguration, name) = number;
        }

        foreach (NetworkInterface each in link is not null ? [link] : isAll ? stack.Interfaces : [])
        {
            ValueOf(each.Autoconfiguration, name) = number;
            if (name == "accept_ra")
            {
                stack.DisableV6(each, each.DisablesV6); // begins to ask for routers
            }
        }

        return Errno.None;
    }

    private static ref int ValueOf(AutoconfigurationOptions options, string name)
    {
        switch (name)
        {
            case "accept_ra":
                return ref options.AcceptsAdvertisements;
            case "autoconf":
                return ref options.MakesAddresses;
            case "accept_dad":
                return ref options.DetectsDuplicates;
            default:
                return ref options.Transmits;
        }
    }

    // Null stands for all and default.
    private bool TryFind(string name, out NetworkInterface? link)
    {
        link = name is All or Default ? null : stack.FindInterface(name);
        return link is not null || name is All or Default;
    }
}
