namespace Moat.Kernel.Credentials;

/// <summary>The securebits flags (<c>linux/securebits.h</c>, capabilities(7)); the lock of each is the next higher bit.</summary>
public static class SecureBit
{
    public const uint NoRoot = 1;
    public const uint NoSetuidFixup = 4;
    public const uint KeepCaps = 0x10;
    public const uint KeepCapsLocked = 0x20;
    public const uint NoCapAmbientRaise = 0x40;

    /// <summary>Every flag and lock.</summary>
    public const uint All = 0xff;

    /// <summary>The locks.</summary>
    public const uint AllLocks = 0xaa;
}
