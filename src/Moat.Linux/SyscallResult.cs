namespace Moat.Linux;

/// <summary>What a system call leaves in RAX: a value, or an errno as its negative.</summary>
/// <param name="Raw">The register's value.</param>
public readonly record struct SyscallResult(long Raw)
{
    private const long MaxErrno = 4095;

    /// <summary>The result of a call that succeeds with nothing to say.</summary>
    public static SyscallResult Ok => default;

    /// <summary>Whether this is an error, restart codes included.</summary>
    public bool IsError => unchecked((ulong)Raw) > unchecked((ulong)-(MaxErrno + 1));

    /// <summary>The error, or <see cref="Linux.Errno.None"/>.</summary>
    public Errno Errno => IsError ? (Errno)(-Raw) : Errno.None;

    /// <summary>Success with a value.</summary>
    public static implicit operator SyscallResult(long value) => new(value);

    /// <summary>Success with a value.</summary>
    public static implicit operator SyscallResult(int value) => new(value);

    /// <summary>An error, or plain success for <see cref="Linux.Errno.None"/>.</summary>
    public static implicit operator SyscallResult(Errno errno) => new(-(long)errno);

    /// <summary>Success with an address.</summary>
    public static implicit operator SyscallResult(GuestAddress address) => new(unchecked((long)address.Value));
}
