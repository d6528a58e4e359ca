using System.Diagnostics.CodeAnalysis;

namespace Moat.Linux;

/// <summary>A value or an <see cref="Linux.Errno"/>: what every operation that a guest, a peer or a configuration can make fail returns.</summary>
/// <remarks>The idiom is <c>if (!x.TryGet(out var v, out Errno e)) { return e; }</c>.</remarks>
/// <typeparam name="T">The value on success.</typeparam>
public readonly struct Result<T>
{
    private readonly T? _value;

    private Result(T? value, Errno errno)
    {
        _value = value;
        Errno = errno;
    }

    /// <summary><see cref="Linux.Errno.None"/> on success.</summary>
    public Errno Errno { get; }

    /// <summary>Whether there is a value.</summary>
    public bool IsOk => Errno == Errno.None;

    /// <summary>The value; only to be asked for after <see cref="IsOk"/>.</summary>
    public T Value => IsOk ? _value! : throw new InvalidOperationException($"no value: {Errno}");

    /// <summary>Splits the result in one step.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value, out Errno errno)
    {
        value = _value;
        errno = Errno;
        return IsOk;
    }

    /// <summary>Wraps a value.</summary>
    public static implicit operator Result<T>(T value) => new(value, Errno.None);

    /// <summary>Wraps an error, which must not be <see cref="Linux.Errno.None"/>.</summary>
    public static implicit operator Result<T>(Errno errno) =>
        errno == Errno.None ? throw new ArgumentException("a result without value needs an errno", nameof(errno)) : new(default, errno);
}
