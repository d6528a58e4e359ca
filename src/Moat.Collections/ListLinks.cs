namespace Moat.Collections;

/// <summary>An item's neighbours in an <see cref="IntrusiveList{T, TLinks}"/>, which alone sets them.</summary>
/// <typeparam name="T">The items.</typeparam>
public struct ListLinks<T>
    where T : class
{
    internal T? Next;
    internal T? Previous;
}
