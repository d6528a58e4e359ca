using System.Globalization;
using Moat.Linux;

namespace Runsc.Commands;

/// <summary>Reads signals as kill(1) does: 9, KILL, SIGKILL, RTMIN+1.</summary>
internal static class SignalName
{
    private const int First = 1;
    private const int Last = 64;
    private const int RealTimeMin = 34; // as the C library counts, which keeps two for itself

    /// <summary>The signal, or null.</summary>
    public static Signal? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return number is >= First and <= Last ? (Signal)number : null;
        }

        string name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        int offset;
        if (name == "RTMIN" || name == "RTMAX")
        {
            return (Signal)(name == "RTMIN" ? RealTimeMin : Last);
        }

        if (name.StartsWith("RTMIN+", StringComparison.Ordinal) && int.TryParse(name[6..], NumberStyles.None, CultureInfo.InvariantCulture, out offset))
        {
            return offset <= Last - RealTimeMin ? (Signal)(RealTimeMin + offset) : null;
        }

        if (name.StartsWith("RTMAX-", StringComparison.Ordinal) && int.TryParse(name[6..], NumberStyles.None, CultureInfo.InvariantCulture, out offset))
        {
            return offset <= Last - RealTimeMin ? (Signal)(Last - offset) : null;
        }

        name = name switch { "IOT" => "ABRT", "CLD" => "CHLD", "POLL" => "IO", "UNUSED" => "SYS", _ => name };
        return Enum.TryParse("SIG" + name, out Signal signal) && Enum.IsDefined(signal) && (int)signal is >= First and < 32 ? signal : null;
    }
}
