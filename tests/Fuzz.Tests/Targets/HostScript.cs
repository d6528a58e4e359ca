namespace Moat.Fuzz.Targets;

/// <summary>What an operation of a <see cref="Script"/> says where its bytes go to a <see cref="FuzzedHost"/>.</summary>
internal static class HostScript
{
    private const byte KeepChecksums = 7; // of the lowest three bits, so that few inputs do
    private const int WaitShift = 4;
    private const long Millisecond = 1_000_000;

    /// <summary>Whether checksums stay as they are.</summary>
    public static bool KeepsChecksums(byte operation) => (operation & 7) == KeepChecksums;

    /// <summary>Waits: not at all, or from a millisecond to sixteen seconds.</summary>
    public static void Wait(FuzzedHost host, byte operation)
    {
        int exponent = operation >> WaitShift;
        if (exponent != 0)
        {
            host.Settle(Millisecond << (exponent - 1));
        }
    }
}
