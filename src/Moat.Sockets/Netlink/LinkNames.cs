using System.Globalization;
using Moat.Linux;
using Moat.Netstack;

namespace Moat.Sockets.Netlink;

/// <summary>The names of interfaces (dev_alloc_name).</summary>
internal static class LinkNames
{
    private const string Number = "%d";

    /// <summary>A name, checked; for one with %d the lowest number that nobody has.</summary>
    /// <returns>EINVAL for what is no name; ENFILE if all numbers are taken. Whether a name without %d is taken is not looked at.</returns>
    public static Result<string> Complete(NetworkStack stack, string wanted)
    {
        if (!LinkChange.IsValidName(wanted))
        {
            return Errno.EINVAL;
        }

        int at = wanted.IndexOf('%', StringComparison.Ordinal);
        if (at < 0)
        {
            return wanted;
        }

        if (string.CompareOrdinal(wanted, at, Number, 0, Number.Length) != 0 || wanted.IndexOf('%', at + 1) >= 0)
        {
            return Errno.EINVAL;
        }

        for (int i = 0; i <= NetworkStack.MaxInterfaces; i++)
        {
            string name = wanted.Replace(Number, i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            if (!LinkChange.IsValidName(name))
            {
                return Errno.EINVAL;
            }

            if (stack.FindInterface(name) is null)
            {
                return name;
            }
        }

        return Errno.ENFILE;
    }
}
