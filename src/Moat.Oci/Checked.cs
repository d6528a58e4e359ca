using System.Diagnostics.CodeAnalysis;

namespace Moat.Oci;

/// <summary>A value, or one line that says what is wrong with the input.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public readonly struct Checked<T>
    where T : class
{
    private Checked(T? value, string? error)
    {
        Value = value;
        Error = error;
    }

    /// <summary>The value, or null.</summary>
    public T? Value { get; }

    /// <summary>What is wrong, or null.</summary>
    public string? Error { get; }

    /// <summary>A good value.</summary>
    public static Checked<T> Ok(T value) => new(value, null);

    /// <summary>A fault of the input. Names and values of the input may be part of what is said: they do not break the line, nor say anything to a terminal.</summary>
    public static Checked<T> Fail(string error) => new(null, error.Any(char.IsControl) ? string.Concat(error.Select(static c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : error);

    /// <summary>Splits the result in one step.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? error)
    {
        value = Value;
        error = Error;
        return value is not null;
    }
}
